namespace Nacre.ControlPlane.Auth;

/// <summary>What is wrong with a signature. Each service has its own code for it (<c>AuthenticationErrors</c>).</summary>
public enum AuthenticationFault
{
    /// <summary>The request is not signed.</summary>
    Missing,

    /// <summary>The signature lacks a part, or cannot be read.</summary>
    Incomplete,

    /// <summary>No such access key, or a session token, which nobody here has given out.</summary>
    UnknownKey,

    /// <summary>It is not the signature of this request by this key.</summary>
    Mismatch,

    /// <summary>The request is from more than the permitted time ago, or ahead.</summary>
    Skewed,
}

/// <summary>The caller could not be told.</summary>
public sealed class AuthenticationException(AuthenticationFault fault, string message) : Exception(message)
{
    public AuthenticationFault Fault { get; } = fault;

    /// <summary>The key it was said to be signed with, where that could be read; nothing has been proven.</summary>
    public string? ClaimedKeyId { get; init; }
}
