using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// An expected failure with a Linux error number (positive). Thrown inside a handler it becomes an ordinary reply with the negated
/// number as its status.
/// </summary>
public class ErrnoException : Exception
{
    public ErrnoException(int errno, string? message = null, Exception? inner = null)
        : base(message ?? Wire.Errno.Name(errno), inner)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(errno);
        Errno = errno;
    }

    /// <summary>Positive, x86 Linux numbering; see <see cref="Wire.Errno"/>.</summary>
    public int Errno { get; }
}

/// <summary>A failure at the level of the RPC: refused, malformed, not connected.</summary>
public sealed class RpcException : ErrnoException
{
    /// <param name="errno">Positive error number.</param>
    /// <param name="rpcLevel">The answer is <see cref="MessageType.Error"/> instead of an ordinary reply (02 section 3.2).</param>
    public RpcException(int errno, bool rpcLevel = false, string? message = null)
        : base(errno, message) => RpcLevel = rpcLevel;

    public bool RpcLevel { get; }
}

/// <summary>
/// A bulk transfer did not complete. Left to the engine it ends in no reply at all for OST_READ and OST_WRITE and whenever the client
/// has gone on to another connection, else in -ETIMEDOUT (02 section 7.5).
/// </summary>
public sealed class BulkException : Exception
{
    public BulkException(string message, bool aborted = false, Exception? inner = null)
        : base(message, inner) => Aborted = aborted;

    /// <summary>Given up because the client reconnected or its export was closed.</summary>
    public bool Aborted { get; }
}
