using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Nacre.LNet;
using Nacre.PtlRpc.Timing;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// One request under way: its place among the unanswered ones, its posted buffers, its deadline and the task of its caller. Pooled.
/// Everything in it is guarded by the import's gate, except the result, which is set once outside of it.
/// </summary>
internal sealed class ImportCall : IPostedEvents, IDeadlineOwner, IValueTaskSource<RpcReply>
{
    private readonly ImportCallPool _pool;
    private ManualResetValueTaskSourceCore<RpcReply> _result;
    private PostedBuffer?[] _bulk = [];

    public ImportCall(ImportCallPool pool)
    {
        _pool = pool;
        Deadline = new DeadlineNode(this);
    }

    public Import Import { get; private set; } = null!;

    public RpcCall Call { get; private set; } = null!;

    /// <summary>Neighbours in the list of unanswered requests, which is in the order of the xids.</summary>
    public ImportCall? Next;
    public ImportCall? Previous;

    public ulong Xid;
    public ulong MatchBits;
    public ushort Tag;

    /// <summary>Bytes of the reply message there is room for; grows when a reply was cut.</summary>
    public int ReplyBytes;

    /// <summary>Sent with the flag of 02 section 2.5: the final reply comes at offset 224.</summary>
    public bool Adaptive;

    /// <summary>Has an xid and its place among the unanswered ones.</summary>
    public bool IsListed;

    /// <summary>At least one copy has left, and may have been executed.</summary>
    public bool WasSent;

    /// <summary>Waiting for the moment to try again after -EINPROGRESS.</summary>
    public bool RetryPending;
    public int Retries;
    public long SentAt;

    /// <summary>
    /// A copy is on its way from the outbox to LNet. Until it is there nothing in the call may change, so another copy
    /// (<see cref="SendAgain"/>) and the result (<see cref="IsUndelivered"/>) wait.
    /// </summary>
    public bool IsSending;
    public bool SendAgain;
    public bool IsUndelivered;
    public Exception? UndeliveredFailure;

    /// <summary>The result is decided; what arrives now is of no interest.</summary>
    public bool IsDone;

    /// <summary>Where the reply is, or will be, received.</summary>
    public RpcReply? Reply;
    public PostedBuffer? ReplyBuffer;

    /// <summary>The final reply is there, and waits for bulk to be complete.</summary>
    public bool HasReply;
    public int BulkPending;
    public int BulkBytes;

    /// <summary>The checksum the call asked for, of the bulk data that arrived; null when there is none (<see cref="RpcCall.SumBulk"/>).</summary>
    public uint? BulkSum;

    public DeadlineNode Deadline { get; }

    public int Version => _result.Version;

    public ValueTask<RpcReply> Task => new(this, _result.Version);

    public void Begin(Import import, RpcCall call, ushort tag)
    {
        Import = import;
        Call = call;
        Tag = tag;
        ReplyBytes = call.ReplyBytes;
        _result.RunContinuationsAsynchronously = !import.Client.Options.InlineContinuations;
    }

    /// <summary>Watches the caller's token. Called by <see cref="Import.SendAsync"/> before anybody can consume the result.</summary>
    public CancellationTokenRegistration Watch(CancellationToken ct) => ct.UnsafeRegister(
        static (state, token) =>
        {
            var (call, version) = ((ImportCall, int))state!;
            call.Import.OnCanceled(call, version, token);
        },
        (this, Version));

    /// <summary>The caller's token; taken back when the result is decided.</summary>
    public CancellationTokenRegistration Cancellation;

    public void PostReply(ILNet lnet, int replyPortal, PeerId from, ulong matchBits)
    {
        Reply = Import.Client.Calls.Replies.Rent(ReplyBytes);
        ReplyBuffer = lnet.Post(replyPortal, from, matchBits, Reply.Memory, ReplyWaiter.Options, this);
    }

    public void PostBulk(ILNet lnet, PeerId from, ulong first)
    {
        var count = Call.BulkCount;
        if (_bulk.Length < count)
        {
            _bulk = new PostedBuffer?[count];
        }

        BulkPending = count;
        BulkBytes = 0;
        BulkSum = null;
        var options = Call.BulkDirection == BulkDirection.Read ? PostOptions.AcceptPut : PostOptions.AcceptGet;
        for (var i = 0; i < count; i++)
        {
            _bulk[i] = lnet.Post(Call.BulkPortal, from, first + (ulong)i, Call.BulkBuffers.Span[i], options, this);
        }
    }

    /// <summary>True when the buffer is one of the descriptors of the copy under way.</summary>
    public bool TakeBulk(PostedBuffer buffer, int bytes)
    {
        var index = Array.IndexOf(_bulk, buffer);
        if (index < 0)
        {
            return false;
        }

        _bulk[index] = null;
        BulkPending--;
        BulkBytes += bytes;
        return true;
    }

    /// <summary>
    /// Withdraws all buffers. The returned task completes when the caller's bulk memory is not touched any more; that of the reply
    /// just is not pooled when somebody still writes to it.
    /// </summary>
    public ValueTask ReleaseBuffersAsync()
    {
        if (ReplyBuffer is { } reply)
        {
            ReplyBuffer = null;
            var released = reply.DisposeAsync();
            if (released.IsCompletedSuccessfully)
            {
                Reply?.AllowReuse();
            }
            else
            {
                _ = released.AsTask();
            }
        }

        return BulkPending == 0 ? ValueTask.CompletedTask : ReleaseBulkAsync();
    }

    /// <summary>Gives the result to the caller; the last thing done with the object by whoever decided it.</summary>
    public void SetResult(RpcReply? reply, Exception? failure)
    {
        if (failure is null)
        {
            _result.SetResult(reply!);
        }
        else
        {
            _result.SetException(failure);
        }
    }

    RpcReply IValueTaskSource<RpcReply>.GetResult(short token)
    {
        try
        {
            return _result.GetResult(token);
        }
        finally
        {
            End();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<RpcReply>.GetStatus(short token) => _result.GetStatus(token);

    void IValueTaskSource<RpcReply>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _result.OnCompleted(continuation, state, token, flags);

    void IPostedEvents.OnPut(PostedBuffer buffer, int offset, int stored, int sent) =>
        Import?.OnPut(this, buffer, offset, stored, sent);

    /// <summary>
    /// Sums data while it is in this processor's cache. A descriptor that is still in the list keeps the call from ending until its transfer has, so
    /// what is read here is this call's; any other belongs to the past.
    /// </summary>
    void IPostedEvents.OnReceived(PostedBuffer buffer, ReadOnlySpan<byte> payload)
    {
        if (Array.IndexOf(_bulk, buffer) == 0 && Call is { SumBulk: { } type, BulkCount: 1 })
        {
            BulkSum = BrwChecksum.Compute(type, payload);
        }
    }

    void IPostedEvents.OnGet(PostedBuffer buffer, int length) => Import?.OnBulkDone(this, buffer, length);

    void IDeadlineOwner.OnDeadline(int version, long now) => Import?.OnDeadline(this, version, now);

    private async ValueTask ReleaseBulkAsync()
    {
        var bulk = _bulk;
        _bulk = [];
        BulkPending = 0;
        foreach (var buffer in bulk)
        {
            if (buffer is not null)
            {
                await buffer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private void End()
    {
        // The version moves on first: a deadline or a cancellation that is under way finds another call.
        _result.Reset();
        Call = null!;
        Reply = null;
        ReplyBuffer = null;
        Array.Clear(_bulk);
        Xid = MatchBits = 0;
        Tag = 0;
        UndeliveredFailure = null;
        IsSending = SendAgain = IsUndelivered = false;
        Adaptive = IsListed = WasSent = RetryPending = IsDone = HasReply = false;
        Retries = BulkPending = BulkBytes = 0;
        BulkSum = null;
        _pool.Return(this);
    }
}

/// <summary>Calls and replies between uses.</summary>
internal sealed class ImportCallPool
{
    private const int MaxKept = 4096;

    private readonly ConcurrentQueue<ImportCall> _free = new();
    private int _kept;

    public ReplyPool Replies { get; } = new();

    public ImportCall Rent()
    {
        if (_free.TryDequeue(out var call))
        {
            Interlocked.Decrement(ref _kept);
            return call;
        }

        return new ImportCall(this);
    }

    public void Return(ImportCall call)
    {
        if (Interlocked.Increment(ref _kept) <= MaxKept)
        {
            _free.Enqueue(call);
        }
        else
        {
            Interlocked.Decrement(ref _kept);
        }
    }
}
