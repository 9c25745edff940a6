namespace Nacre.ControlPlane.Client;

/// <summary>The API refused a call, or cannot be reached. The message is one line for the person who asked.</summary>
/// <param name="code">The error's shape name, for instance <c>FileSystemNotFound</c>; null when there was no answer.</param>
public sealed class FsxException(string? code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string? Code { get; } = code;
}
