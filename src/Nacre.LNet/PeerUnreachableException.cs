namespace Nacre.LNet;

/// <summary>There is no connection to the peer, or it broke before the operation was complete.</summary>
public sealed class PeerUnreachableException : IOException
{
    public PeerUnreachableException(string message)
        : base(message)
    {
    }

    public PeerUnreachableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
