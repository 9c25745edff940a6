using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

public enum BulkDirection
{
    None,

    /// <summary>The server PUTs into the buffers.</summary>
    Read,

    /// <summary>The server GETs the buffers.</summary>
    Write,
}

/// <summary>
/// One request to be sent through an <see cref="Import"/>. May be used again, with other contents, once the reply is there.
/// </summary>
public sealed class RpcCall
{
    public RpcCall(uint opcode, params ReadOnlySpan<int> lengths) => Restart(opcode, lengths);

    public uint Opcode { get; private set; }

    /// <summary>Request portal; 0 lets the import choose as a kernel client does (02 section 4.3).</summary>
    public int Portal { get; set; }

    /// <summary>Bytes of the largest reply message expected. A longer one costs a second round trip, not the call.</summary>
    public int ReplyBytes { get; set; }

    /// <summary>Changes the target: takes one of the reply slots (02 section 12.5). Set by itself for MDS_REINT and MDS_CLOSE.</summary>
    public bool Modifies { get; set; }

    /// <summary>Fail instead of being sent again after a reconnect.</summary>
    public bool NoResend { get; set; }

    /// <summary>Name of the job the request belongs to, at most 31 characters.</summary>
    public string? JobId { get; set; }

    public BulkDirection BulkDirection { get; private set; }

    /// <summary>
    /// The checksum to compute over bulk data while it arrives, when it is one descriptor: then it is still in the processor's cache, and later it
    /// would have to be fetched again. The result is <see cref="RpcReply.BulkSum"/>.
    /// </summary>
    public BrwChecksumType? SumBulk { get; set; }

    /// <summary>Starts anew with zeroed buffers of these lengths behind the body.</summary>
    public void Restart(uint opcode, params ReadOnlySpan<int> lengths)
    {
        Opcode = opcode;
        Portal = 0;
        ReplyBytes = 1024;
        Modifies = opcode is Wire.Opcode.MdsReint or Wire.Opcode.MdsClose;
        NoResend = false;
        BulkDirection = BulkDirection.None;
        BulkBuffers = default;
        SumBulk = null;
        Builder.Start(lengths);
    }

    /// <summary>A request buffer, from index 1.</summary>
    public Span<byte> Buffer(int index) => Builder.Buffer(index);

    public ref T Get<T>(int index)
        where T : unmanaged => ref Builder.Get<T>(index);

    /// <summary>
    /// Lets the server move data. Each buffer is one descriptor: at most 1 MiB, 256 pages (02 section 7.3).
    /// </summary>
    /// <param name="portal">8, 14 or 33.</param>
    /// <param name="buffers">Belong to the call until its task completes.</param>
    /// <param name="nMax">Power of two at least as large as the number of buffers, and what the server takes it to be (02 section 7.2).</param>
    public void SetBulk(BulkDirection direction, int portal, ReadOnlyMemory<Memory<byte>> buffers, int nMax)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(buffers.Length, nMax, nameof(buffers));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(nMax, (int)XidGenerator.Step);
        BulkDirection = buffers.Length == 0 ? BulkDirection.None : direction;
        BulkPortal = portal;
        BulkBuffers = buffers;
    }

    internal MessageBuilder Builder { get; } = new();

    internal int BulkPortal { get; private set; }

    internal ReadOnlyMemory<Memory<byte>> BulkBuffers { get; private set; }

    internal int BulkCount => BulkDirection == BulkDirection.None ? 0 : BulkBuffers.Length;
}
