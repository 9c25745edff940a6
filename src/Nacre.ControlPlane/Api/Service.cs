using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Api;

/// <summary>One of AWS's services behind the endpoint: its protocol, its errors, its operations.</summary>
internal abstract class Service
{
    /// <summary>Which a signature has to be for, and the prefix of its actions.</summary>
    public abstract string SigningName { get; }

    public abstract string ContentType { get; }

    /// <summary>The operation that is asked for, as sent; empty where there is none.</summary>
    /// <exception cref="ApiException">The request cannot be read.</exception>
    public abstract string OperationOf(SignedRequest request);

    /// <summary>Runs it and notes in the call what it was about.</summary>
    /// <exception cref="ApiException">It is refused.</exception>
    public abstract ValueTask<byte[]> RunAsync(SignedRequest request, Call call, CallTokens tokens);

    public abstract byte[] WriteError(ApiException error, string requestId);

    /// <summary>How the service says it.</summary>
    public abstract ApiException Translate(AuthenticationException refusal);
}

/// <summary>A call under way: what is known of it so far, for the answer and the audit log.</summary>
internal sealed class Call(string requestId, string source)
{
    /// <summary>A UUID.</summary>
    public string RequestId => requestId;

    public string Source => source;

    public string Operation { get; set; } = "";

    /// <summary>Set once the caller has been told.</summary>
    public AccessKey? Key { get; set; }

    public string? ClaimedKeyId { get; set; }

    public string? ResourceId { get; set; }

    /// <summary>Of a call whose caller has been told.</summary>
    public CallContext Context => new(Key!.AccountId, Key.Id, requestId);
}

/// <param name="Reading">The caller has gone away, or the endpoint stops.</param>
/// <param name="Changing">The endpoint stops. A change that was begun is finished even if nobody waits for the answer.</param>
internal readonly record struct CallTokens(CancellationToken Reading, CancellationToken Changing);
