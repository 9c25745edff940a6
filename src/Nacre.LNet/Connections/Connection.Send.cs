using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Connections;

/// <content>
/// Sending. Messages are queued under the output lock and leave when somebody flushes: the sender itself, or the batch its
/// thread is in. One thread at a time drains the queue (<c>_sending</c>); it takes what the socket accepts without waiting,
/// and only a full socket starts the asynchronous drain. So no caller ever waits for the network.
/// </content>
internal sealed partial class Connection : IThreadPoolWorkItem
{
    /// <summary>Payloads up to this size are copied: cheaper than to queue and pin them.</summary>
    public const int CopyLimit = 16 << 10;

    /// <summary>Queued bytes at which a batch no longer holds back.</summary>
    private const int CorkLimit = 256 << 10;

    /// <summary>Stands for the queue's length when a message did not fit.</summary>
    private const long Overflow = -1;

    /// <summary>Pieces handed to the transport at a time.</summary>
    private const int MaxPieces = 64;

    /// <summary>
    /// Sends a caller does before the rest moves to a thread of its own: others may be queueing as fast as it drains.
    /// </summary>
    private const int MaxRoundsOfCaller = 8;

    /// <summary>Bytes per waiting send, so that progress is seen in steps smaller than a payload.</summary>
    private const int WaitingSendBytes = 64 << 10;

    private readonly Lock _outputGate = new();
    private readonly OutputQueue _output;
    private readonly ReadOnlyMemory<byte>[] _pieces = new ReadOnlyMemory<byte>[MaxPieces];
    private readonly List<IPayloadOwner> _released = [];
    private bool _sending;
    private bool _outputClosed;
    private long _bytesSent;

    /// <summary>Bytes waiting to be sent.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_outputGate) return _output.Bytes;
        }
    }

    /// <summary>
    /// Orders connections of equal load: the one used longest ago has the smallest value. The peer's to set.
    /// </summary>
    public long LastUse { get; set; }

    /// <summary>
    /// Queues a message with a copied payload. False when the connection is closed, or closes now because its peer does not
    /// read.
    /// </summary>
    public bool TrySend(in LnetMessage header, ReadOnlySpan<byte> payload)
    {
        var length = LnetMessage.Size + payload.Length;
        long queued;
        lock (_outputGate)
        {
            if (_outputClosed) return false;
            if (TryAppend(length, out var space))
            {
                MemoryMarshal.Write(space, in header);
                payload.CopyTo(space[LnetMessage.Size..]);
            }

            queued = space.IsEmpty ? Overflow : _output.Bytes;
        }

        return Queued(queued);
    }

    /// <summary>
    /// Queues a message whose payload stays where it is. When false is returned the owner is not told anything.
    /// </summary>
    public bool TrySend(in LnetMessage header, ReadOnlyMemory<byte> payload, IPayloadOwner owner)
    {
        long queued;
        lock (_outputGate)
        {
            if (_outputClosed) return false;
            MemoryMarshal.Write(_output.Append(LnetMessage.Size, payload, owner), in header);
            queued = _output.Bytes;
        }

        return Queued(queued);
    }

    /// <summary>Takes a payload back that has not begun to leave. Its owner is not told.</summary>
    public bool TryWithdraw(IPayloadOwner owner)
    {
        lock (_outputGate) return !_outputClosed && _output.TryWithdraw(owner);
    }

    /// <summary>Queues a NOOP: a zero-copy acknowledgement or a keepalive.</summary>
    public bool TrySendNoop(ulong cookie)
    {
        var noop = new KsockHeader { Type = KsockMessageType.Noop, ZcAckCookie = cookie };
        long queued;
        lock (_outputGate)
        {
            if (_outputClosed) return false;
            if (TryAppend(KsockHeader.Size, out var space)) MemoryMarshal.Write(space, in noop);
            queued = space.IsEmpty ? Overflow : _output.Bytes;
        }

        return Queued(queued);
    }

    /// <summary>Sends what is queued, as far as the socket takes it.</summary>
    public void Flush()
    {
        lock (_outputGate)
        {
            if (_sending || _outputClosed || _output.IsEmpty) return;
            _sending = true;
        }

        Drain(MaxRoundsOfCaller);
    }

    void IThreadPoolWorkItem.Execute() => Drain(MaxRoundsOfCaller);

    private bool TryAppend(int length, out Span<byte> space)
    {
        var fits = _output.CopiedBytes + length <= _node.Options.MaxQueuedBytesPerConnection;
        space = fits ? _output.Append(length) : default;
        return fits;
    }

    /// <summary>
    /// Sees to it that what was queued leaves. False when it did not fit: a peer that does not read is disconnected.
    /// </summary>
    private bool Queued(long bytes)
    {
        if (bytes == Overflow)
        {
            Fail("it does not read what is sent to it");
            return false;
        }

        var batch = SendBatch.Current;
        if (batch is null || bytes > CorkLimit) Flush();
        else batch.Add(this);
        return true;
    }

    /// <summary>
    /// Sends without waiting until the queue is empty, the socket full, or the caller's share done. Entered by the one that
    /// set <c>_sending</c>.
    /// </summary>
    private void Drain(int rounds)
    {
        try
        {
            for (; rounds > 0; rounds--)
            {
                if (!TakePieces(out var pieces, out var bytes)) return;
                var sent = _bytes.TrySend(_pieces.AsSpan(0, pieces));
                Sent(sent);
                if (sent < bytes)
                {
                    _ = DrainWaitingAsync();
                    return;
                }
            }

            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        catch (Exception e) when (IsConnectionFailure(e))
        {
            SendFailed(e);
        }
    }

    /// <summary>Waits for room in the socket, again and again, until the queue is empty.</summary>
    private async Task DrainWaitingAsync()
    {
        try
        {
            while (TakePieces(out _, out _))
            {
                var first = KeepFirstPiece();
                await _bytes.SendAsync(first).ConfigureAwait(false);
                Sent(first.Length);
                if (!TakePieces(out var pieces, out _)) return;
                Sent(_bytes.TrySend(_pieces.AsSpan(0, pieces)));
            }
        }
        catch (Exception e) when (IsConnectionFailure(e))
        {
            SendFailed(e);
        }
    }

    /// <summary>
    /// Fills <c>_pieces</c>. False when there is nothing to send; the caller is then no longer the one that sends.
    /// </summary>
    private bool TakePieces(out int pieces, out long bytes)
    {
        lock (_outputGate)
        {
            pieces = 0;
            bytes = 0;
            if (!_outputClosed)
            {
                // Withdrawn payloads leave empty segments; they go with the next bytes, or here.
                pieces = _output.Peek(_pieces, out bytes);
                if (pieces > 0) return true;
                _output.Advance(0, _released);
            }
            else
            {
                _output.Clear(_released);
            }

            _sending = false;
        }

        TellReleased(sent: false);
        return false;
    }

    private ReadOnlyMemory<byte> KeepFirstPiece()
    {
        lock (_outputGate) _output.KeepFirstInFlight();
        var first = _pieces[0];
        return first.Length > WaitingSendBytes ? first[..WaitingSendBytes] : first;
    }

    private void Sent(long bytes)
    {
        lock (_outputGate)
        {
            _output.Advance(bytes, _released);
            _bytesSent += bytes;
        }

        TellReleased(sent: true);
    }

    private void SendFailed(Exception e)
    {
        // While _sending is set CloseOutput leaves the queue to us: the transport has let go of the memory now.
        Fail(e.Message);
        lock (_outputGate)
        {
            _outputClosed = true;
            _output.Clear(_released);
            _sending = false;
        }

        TellReleased(sent: false);
    }

    private void CloseOutput()
    {
        lock (_outputGate)
        {
            _outputClosed = true;
            if (_sending) return;
            _sending = true;
        }

        TakePieces(out _, out _);
    }

    /// <summary>
    /// Tells owners, outside the lock. Only the thread that sends, or the one that empties the queue of a closed connection,
    /// adds to the list; nothing an owner does can make it send here again meanwhile, so the list is this thread's own.
    /// </summary>
    private void TellReleased(bool sent)
    {
        foreach (var owner in _released) owner.OnPayloadReleased(sent);
        _released.Clear();
    }

    /// <summary>The ways in which a byte stream says that it is broken or closed.</summary>
    public static bool IsConnectionFailure(Exception e) =>
        e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;
}
