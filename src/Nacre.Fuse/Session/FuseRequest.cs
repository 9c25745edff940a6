using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Fuse.Cache;
using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>
/// One request of the kernel while it is worked on. Requests are used again and stay in <see cref="RequestPool"/>'s list for
/// ever, so that others can look
/// through what is under way without a lock: they see <see cref="InFlight"/>, <see cref="Header"/> and the range, and must
/// take that
/// for a hint that may be over.
/// <para>A small request is copied into the object. A large one stays in the reader's buffer, which the reader leaves to the
/// request when
/// it does not end at once.</para>
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as its pool; a source without a timer holds nothing.")]
internal sealed class FuseRequest
{
    /// <summary>Bytes copied: any request but a large WRITE, SETXATTR or BATCH_FORGET.</summary>
    public const int SmallLimit = 8192;

    private readonly byte[] _small = GC.AllocateUninitializedArray<byte>(SmallLimit, pinned: true);
    private readonly Lock _gate = new();
    private readonly Action _finish;
    private readonly RequestPool _pool;
    private CancellationTokenSource _cancel = new();
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _running;
    private Memory<byte> _body;
    private int _pins;
    private bool _finished;
    private volatile bool _inFlight;
    private volatile bool _hasData;

    public FuseRequest(RequestPool pool)
    {
        _pool = pool;
        _finish = Finish;
    }

    public RequestHeader Header;

    /// <summary>Where the answer goes.</summary>
    public FuseDevice Device { get; private set; } = null!;

    /// <summary>The buffer of a large request; the request's own once <see cref="OwnsBuffer"/>.</summary>
    public NativeBuffer? Buffer { get; private set; }

    public bool OwnsBuffer { get; set; }

    /// <summary>What follows the header.</summary>
    public Memory<byte> Body => _body;

    public NodeEntry Entry { get; set; } = null!;

    /// <summary>Whether the kernel may be holding something (a directory's lock, pages) until the answer.</summary>
    public bool InFlight => _inFlight;

    /// <summary>For READ and WRITE through the kernel's page cache: the first byte, and the number of them.</summary>
    public long RangeOffset { get; private set; }

    public long RangeLength { get; private set; }

    /// <summary>The pages of that range.</summary>
    public PageRange Pages => PageRanges.Of(RangeOffset, RangeLength);

    /// <summary>A READ that waits for nothing any more: its answer is on the way.</summary>
    public bool HasData
    {
        get => _hasData;
        set => _hasData = value;
    }

    /// <summary>A WRITE of pages made dirty through a mapping.</summary>
    public bool IsWriteBack { get; private set; }

    /// <summary>A SETATTR of the size.</summary>
    public bool IsTruncation { get; private set; }

    /// <summary>Another directory that is locked until the answer: the one a name is moved to.</summary>
    public ulong SecondNodeId { get; set; }

    /// <summary>The name something is renamed to there (<see cref="Cache.DropLog.Hash"/>); 0 for none.</summary>
    public int SecondName { get; set; }

    /// <summary>When it was read; milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long Arrival { get; private set; }

    /// <summary>Number of drops there had been when the request began.</summary>
    public long DropsAtStart { get; set; }

    public CancellationToken Cancelled => _cancel.Token;

    public ulong Unique => Header.Unique;

    /// <summary>The list a readdir is gathered in; made when first needed, then kept.</summary>
    public DirectoryReply? Directory { get; set; }

    public void Start(FuseDevice device, NativeBuffer buffer, int start, int length)
    {
        Device = device;
        var received = buffer.Slice(start, length);
        Header = MemoryMarshal.Read<RequestHeader>(received.Span);
        if (length <= SmallLimit)
        {
            received.Span[RequestHeader.Size..].CopyTo(_small);
            _body = _small.AsMemory(0, length - RequestHeader.Size);
        }
        else
        {
            Buffer = buffer;
            _body = received[RequestHeader.Size..];
        }

        Arrival = Environment.TickCount64;
        SecondNodeId = 0;
        SecondName = 0;
        ReadRange();
        _finished = false;
        _inFlight = true;
    }

    public bool BelongsTo(RequestPool pool) => _pool == pool;

    /// <summary>Answered: the kernel goes on.</summary>
    public void Answered() => _inFlight = false;

    /// <summary>The work goes on elsewhere: the request ends when it does.</summary>
    public void Continue(ValueTask work)
    {
        _running = work.ConfigureAwait(false).GetAwaiter();
        _running.UnsafeOnCompleted(_finish);
    }

    /// <summary>Cancels the work if it is still on request <paramref name="unique"/>.</summary>
    public bool TryCancel(ulong unique)
    {
        if (!TryPin(unique)) return false;
        // Outside the lock: what was waiting goes on within this call.
        _cancel.Cancel();
        Unpin();
        return true;
    }

    /// <summary>
    /// Ends request <paramref name="unique"/> for the kernel, with EINTR, while its work goes on. Its own answer is refused then, as after an abort.
    /// </summary>
    public unsafe void TryAbandon(ulong unique)
    {
        if (!TryPin(unique)) return;
        var header = new ReplyHeader { Length = ReplyHeader.Size, Error = -Errno.EINTR, Unique = unique };
        var vector = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
        // ENOENT: answered at the same moment.
        if (Device.Write(&vector, 1) == 0) Answered();
        Unpin();
    }

    /// <summary>
    /// The end of the work: the object can be used again, unless somebody is cancelling it, who then does the rest.
    /// </summary>
    public void End()
    {
        _inFlight = false;
        if (OwnsBuffer) _pool.Buffers.Return(Buffer!);
        OwnsBuffer = false;
        Buffer = null;
        _body = default;
        lock (_gate)
        {
            _finished = true;
            if (_pins > 0) return;
        }

        Recycle();
    }

    /// <summary>Known from the first moment on that others see the request.</summary>
    private void ReadRange()
    {
        RangeOffset = RangeLength = 0;
        _hasData = false;
        IsWriteBack = false;
        IsTruncation = Header.Opcode == FuseOpcode.SetAttributes && MemoryMarshal.TryRead(_body.Span, out SetAttributesValid set)
            && set.HasFlag(SetAttributesValid.Size);
        bool isTransfer = Header.Opcode is FuseOpcode.Read or FuseOpcode.Write;
        if (!isTransfer || !MemoryMarshal.TryRead(_body.Span, out TransferRequest transfer)) return;
        IsWriteBack = Header.Opcode == FuseOpcode.Write && (transfer.TransferFlags & RequestFlags.WriteFromCache) != 0;
        RangeOffset = transfer.Offset;
        // What goes past the page cache names the owner of locks, and locks no pages; a page fault on a file open for that does not.
        if ((transfer.TransferFlags & RequestFlags.TransferLockOwner) == 0) RangeLength = transfer.Length;
    }

    private bool TryPin(ulong unique)
    {
        lock (_gate)
        {
            if (_finished || !_inFlight || Header.Unique != unique) return false;
            _pins++;
            return true;
        }
    }

    private void Unpin()
    {
        lock (_gate)
        {
            if (--_pins > 0 || !_finished) return;
        }

        Recycle();
    }

    private void Recycle()
    {
        if (!_cancel.TryReset())
        {
            _cancel.Dispose();
            _cancel = new CancellationTokenSource();
        }

        _pool.Return(this);
    }

    private void Finish()
    {
        // Cannot throw: the work catches all.
        _running.GetResult();
        _running = default;
        End();
    }
}
