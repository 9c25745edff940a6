using Nacre.LNet.Connections;
using Nacre.LNet.Matching;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <summary>What a posted buffer allows (01 section 11.3).</summary>
[Flags]
public enum PostOptions
{
    None = 0,

    /// <summary>The peer may PUT into it.</summary>
    AcceptPut = 1,

    /// <summary>The peer may GET from it.</summary>
    AcceptGet = 2,

    /// <summary>Stays posted after a use; without it the first use removes the buffer.</summary>
    ManyUses = 4,

    /// <summary>Data lies at the offset the header names; without it, behind what earlier uses took.</summary>
    RemoteOffset = 8,

    /// <summary>A PUT or GET that is too long is cut; without it, it is dropped.</summary>
    Truncate = 16,
}

/// <summary>What happened to a posted buffer. Called on receive loops; must not block.</summary>
public interface IPostedEvents
{
    /// <summary>
    /// <paramref name="stored"/> bytes lie at <paramref name="offset"/>; the peer had sent <paramref name="sent"/>.
    /// </summary>
    void OnPut(PostedBuffer buffer, int offset, int stored, int sent);

    /// <summary>
    /// A large payload is there, and its memory still held: it stays the poster's until this returns, also when the buffer is being disposed.
    /// <see cref="OnPut"/> follows. Not called for payloads that were buffered whole.
    /// </summary>
    void OnReceived(PostedBuffer buffer, ReadOnlySpan<byte> payload)
    {
    }

    /// <summary>
    /// The peer took <paramref name="length"/> bytes: all of them are given to TCP and the memory is not read any more.
    /// </summary>
    void OnGet(PostedBuffer buffer, int length);

    /// <summary>
    /// The connection broke in the middle of a use. A buffer for one use is used up; the memory is not touched any more.
    /// </summary>
    void OnBroken(PostedBuffer buffer)
    {
    }
}

/// <summary>
/// A buffer posted with <see cref="ILNet.Post"/>. After <see cref="Dispose"/> no new use begins, and messages of up to 8 KiB
/// are either stored before it returns or not at all; a larger transfer that has begun goes on, and <see
/// cref="DisposeAsync"/> waits for its end.
/// </summary>
public sealed class PostedBuffer : IDisposable, IAsyncDisposable, ITransferTarget
{
    private readonly PostedBuffers _table;
    private readonly Memory<byte> _memory;
    private readonly IPostedEvents _events;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private int _transfers;
    private int _taken;
    private bool _disposed;

    internal PostedBuffer(
        PostedBuffers table, in PostedKey key, PeerId from, Memory<byte> memory, PostOptions options, IPostedEvents events)
    {
        _table = table;
        Key = key;
        From = from;
        Options = options;
        _memory = memory;
        _events = events;
    }

    /// <summary>Free for the poster's use.</summary>
    public object? State { get; set; }

    public int Portal => Key.Portal;

    public ulong MatchBits => Key.MatchBits;

    /// <summary>The only peer that may use it, or one with <see cref="Nid.Any"/>.</summary>
    public PeerId From { get; }

    public PostOptions Options { get; }

    public int Length => _memory.Length;

    internal PostedKey Key { get; }

    /// <summary>The next buffer of the same key; the table's to use.</summary>
    internal PostedBuffer? Next { get; set; }

    /// <summary>In the table; the table's to use.</summary>
    internal bool IsPosted { get; set; }

    /// <summary>Removes the buffer. Does not wait for a large transfer that is under way.</summary>
    public void Dispose()
    {
        _table.Remove(this);
        lock (_gate) _disposed = true;
    }

    /// <summary>Removes the buffer and waits until no transfer touches its memory any more.</summary>
    public ValueTask DisposeAsync()
    {
        _table.Remove(this);
        lock (_gate)
        {
            _disposed = true;
            if (_transfers == 0) return ValueTask.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_idle.Task);
        }
    }

    public override string ToString() => $"portal {Portal} bits 0x{MatchBits:x} from {From}";

    /// <summary>The peer may use it, and this use fits.</summary>
    internal bool Accepts(PeerId peer, PostOptions operation, uint offset, long length)
    {
        if ((Options & operation) == 0) return false;
        if (From.Nid != Nid.Any && From != peer) return false;
        lock (_gate) return TryPlace(offset, length, out _);
    }

    /// <summary>Stores a payload that is all there. False when the buffer was disposed meanwhile.</summary>
    internal bool TryStore(uint offset, ReadOnlySpan<byte> payload, out TransferExtent extent)
    {
        lock (_gate)
        {
            if (!TryTake(offset, payload.Length, out extent)) return false;
            payload[..extent.Stored].CopyTo(_memory.Span[extent.Offset..]);
            return true;
        }
    }

    internal void TellStored(in TransferExtent extent) => _events.OnPut(this, extent.Offset, extent.Stored, extent.Sent);

    /// <summary>As <see cref="TryStore"/>, for a payload yet to be received into <paramref name="into"/>.</summary>
    internal bool TryBeginStore(uint offset, int length, out TransferExtent extent, out Memory<byte> into)
    {
        lock (_gate)
        {
            into = default;
            if (!TryTake(offset, length, out extent)) return false;
            into = _memory.Slice(extent.Offset, extent.Stored);
            _transfers++;
            return true;
        }
    }

    /// <summary>Answers a GET. Nothing is sent when the buffer was disposed meanwhile.</summary>
    internal void Reply(Peer to, in LnetGet get)
    {
        TransferExtent extent;
        lock (_gate)
        {
            if (!TryTake(get.SrcOffset, get.SinkLength, out extent)) return;
            _transfers++;
        }

        var payload = _memory.Slice(extent.Offset, extent.Stored);
        var reply = to.NewReply(get, payload.Length);
        if (payload.Length <= Connection.CopyLimit)
        {
            var sent = to.TrySend(reply, payload.Span);
            ReplyReleased(payload.Length, sent);
            return;
        }

        var owner = new ReplyPayload(this, payload.Length);
        var connection = to.Choose(LnetMessage.Size + payload.Length);
        if (connection is null || !connection.TrySend(reply, payload, owner)) ReplyReleased(payload.Length, sent: false);
    }

    void ITransferTarget.OnTransferDone(in TransferExtent extent)
    {
        _events.OnReceived(this, _memory.Span.Slice(extent.Offset, extent.Stored));
        EndTransfer();
        TellStored(extent);
    }

    void ITransferTarget.OnTransferBroken()
    {
        EndTransfer();
        _events.OnBroken(this);
    }

    private void ReplyReleased(int length, bool sent)
    {
        EndTransfer();
        if (sent) _events.OnGet(this, length);
        else _events.OnBroken(this);
    }

    private bool TryTake(uint offset, long length, out TransferExtent extent)
    {
        extent = default;
        if (_disposed || !TryPlace(offset, length, out extent)) return false;
        if ((Options & PostOptions.RemoteOffset) == 0) _taken += extent.Stored;
        return true;
    }

    /// <summary>Where a use of so many bytes would lie; false when it does not fit.</summary>
    private bool TryPlace(uint offset, long length, out TransferExtent extent)
    {
        extent = default;
        var start = (Options & PostOptions.RemoteOffset) != 0 ? offset : (uint)_taken;
        if (start > _memory.Length) return false;
        var room = _memory.Length - (int)start;
        if (length > room && (Options & PostOptions.Truncate) == 0) return false;
        extent = new TransferExtent((int)start, (int)Math.Min(length, room), (int)Math.Min(length, int.MaxValue));
        return true;
    }

    private void EndTransfer()
    {
        TaskCompletionSource? idle = null;
        lock (_gate)
        {
            if (--_transfers == 0) idle = _idle;
        }

        idle?.TrySetResult();
    }

    /// <summary>A REPLY whose payload is read from the buffer while it leaves.</summary>
    private sealed class ReplyPayload(PostedBuffer buffer, int length) : IPayloadOwner
    {
        public long Ticket { get; set; } = OutputQueue.NotQueued;

        public void OnPayloadReleased(bool sent) => buffer.ReplyReleased(length, sent);
    }
}
