using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Nacre.LNet.Connections;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Matching;

/// <summary>
/// A GET waiting for its REPLY, or a PUT waiting for its ACK. Pooled; it is its own task source.
/// </summary>
/// <remarks>
/// It is <em>settled</em> once, by the answer, a timeout, cancellation or the loss of the connections. It is <em>moving</em>
/// while a connection reads or writes the caller's memory. The caller's task completes when it is settled and not moving:
/// only then is the memory the caller's again.
/// </remarks>
internal sealed class PendingOperation : IValueTaskSource<int>, ITransferTarget, IPayloadOwner
{
    private readonly PendingOperations _table;
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<int> _task;
    private CancellationTokenRegistration _registration;
    private Connection? _requestOn;
    private Connection? _movingOn;
    private Memory<byte> _sink;
    private Exception? _error;
    private int _result;
    private long _deadline;
    private bool _isPut;
    private bool _maySinkBeShort;
    private bool _settled;
    private bool _overdue;

    public PendingOperation(PendingOperations table) => _table = table;

    /// <summary>Named by the answer; 0 while it is in the pool.</summary>
    public ulong Cookie { get; private set; }

    public long Ticket { get; set; } = OutputQueue.NotQueued;

    /// <summary>
    /// Prepares a GET sent on <paramref name="connection"/>. A ping's sink may be shorter than its answer.
    /// </summary>
    public void BeginGet(ulong cookie, Connection connection, Memory<byte> sink, bool maySinkBeShort, long deadline)
    {
        lock (_gate)
        {
            Begin(cookie, connection, deadline);
            _isPut = false;
            _sink = sink;
            _maySinkBeShort = maySinkBeShort;
        }
    }

    /// <summary>
    /// Prepares a PUT sent on <paramref name="connection"/>, whose payload that connection reads until it says it has done
    /// (unless it is copied).
    /// </summary>
    public void BeginPut(ulong cookie, Connection connection, bool payloadIsCopied, long deadline)
    {
        lock (_gate)
        {
            Begin(cookie, connection, deadline);
            _isPut = true;
            _movingOn = payloadIsCopied ? null : connection;
        }
    }

    /// <summary>The caller's task. Taken once, after the request was sent.</summary>
    public ValueTask<int> TaskWith(CancellationToken ct)
    {
        var task = new ValueTask<int>(this, _task.Version);
        if (ct.CanBeCanceled)
            _registration = ct.UnsafeRegister(static (self, token) => ((PendingOperation)self!).OnCancelled(token), this);
        return task;
    }

    /// <summary>The request could not be sent.</summary>
    public void OnNotSent()
    {
        lock (_gate)
        {
            _movingOn = null;
            Settle(new PeerUnreachableException("there is no connection to the peer"));
        }

        CompleteIfDone(inPlace: false);
    }

    /// <summary>
    /// A REPLY of <paramref name="length"/> bytes is there. False when it is not (or no longer) wanted, and is to be
    /// dropped.
    /// </summary>
    public bool TryBeginReceive(in WireHandle handle, Connection connection, int length, out Memory<byte> into)
    {
        into = default;
        lock (_gate)
        {
            if (!IsFor(handle, connection.Peer) || _isPut || _movingOn is not null) return false;
            if (length <= _sink.Length || _maySinkBeShort)
            {
                _movingOn = connection;
                into = length < _sink.Length ? _sink[..length] : _sink;
                return true;
            }

            Settle(new IOException($"the answer has {length} bytes, {_sink.Length} were asked for"));
        }

        CompleteIfDone(inPlace: false);
        return false;
    }

    public void OnAck(in WireHandle handle, Peer from, uint stored)
    {
        lock (_gate)
        {
            if (!IsFor(handle, from) || !_isPut) return;
            Settle(null, (int)Math.Min(stored, LnetHeader.MaxPayload));
        }

        CompleteIfDone(inPlace: true);
    }

    void ITransferTarget.OnTransferDone(in TransferExtent extent)
    {
        lock (_gate)
        {
            _movingOn = null;
            Settle(null, extent.Stored);
        }

        CompleteIfDone(extent.Stored <= ILNet.InPlaceBytes);
    }

    void ITransferTarget.OnTransferBroken() => StopMoving(broken: true);

    void IPayloadOwner.OnPayloadReleased(bool sent) => StopMoving(broken: !sent);

    /// <summary>Fails the operation if its request went over a connection of the peer up to the generation.</summary>
    public void OnConnectionsLost(Peer peer, int generation, string reason)
    {
        lock (_gate)
        {
            if (Cookie == 0 || _requestOn!.Peer != peer || _requestOn.Generation > generation) return;
            Settle(new PeerUnreachableException("the connection was lost: " + reason));
        }

        CompleteIfDone(inPlace: false);
    }

    /// <summary>
    /// Gives up when the deadline has passed. What is moving then is stopped by closing its connection: there is no other
    /// way.
    /// </summary>
    public void OnTick(long now)
    {
        Connection? stuck;
        lock (_gate)
        {
            if (Cookie == 0 || _overdue || now < _deadline) return;
            _overdue = true;
            Settle(new TimeoutException(_isPut ? "the peer did not acknowledge in time" : "the peer did not answer in time"));
            Withdraw();
            stuck = _movingOn;
        }

        stuck?.Fail("a bulk transfer did not end in time");
        CompleteIfDone(inPlace: false);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        // A token used twice must not recycle the object under its present user.
        _ = _task.GetStatus(token);

        // Waits for a cancellation callback that is running, so that none finds the next user of this object.
        _registration.Dispose();
        try
        {
            return _task.GetResult(token);
        }
        finally
        {
            _registration = default;
            _task.Reset();
            _table.Recycle(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _task.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _task.OnCompleted(continuation, state, token, flags);

    private void Begin(ulong cookie, Connection connection, long deadline)
    {
        Debug.Assert(Cookie == 0, "taken from the pool");
        Cookie = cookie;
        Ticket = OutputQueue.NotQueued;
        _requestOn = connection;
        _deadline = deadline;
        _settled = _overdue = false;
        _error = null;
        _result = 0;
    }

    private bool IsFor(in WireHandle handle, Peer peer) =>
        !_settled && Cookie == handle.ObjectCookie && _requestOn!.Peer == peer;

    /// <summary>
    /// A transfer that has begun is left to end, or to the deadline; one still waiting in a queue is taken back.
    /// </summary>
    private void OnCancelled(CancellationToken ct)
    {
        lock (_gate)
        {
            if (Cookie == 0) return;
            Settle(new OperationCanceledException(ct));
            Withdraw();
        }

        CompleteIfDone(inPlace: false);
    }

    private void StopMoving(bool broken)
    {
        lock (_gate)
        {
            _movingOn = null;
            if (broken) Settle(new PeerUnreachableException("the connection was lost in the middle of the transfer"));
        }

        CompleteIfDone(inPlace: false);
    }

    private void Withdraw()
    {
        if (_isPut && _movingOn is { } connection && connection.TryWithdraw(this)) _movingOn = null;
    }

    /// <summary>The first outcome counts.</summary>
    private void Settle(Exception? error, int result = 0)
    {
        if (_settled) return;
        _settled = true;
        _error = error;
        _result = result;
    }

    private void CompleteIfDone(bool inPlace)
    {
        Exception? error;
        int result;
        lock (_gate)
        {
            if (Cookie == 0 || !_settled || _movingOn is not null) return;
            _table.Remove(Cookie);
            Cookie = 0;
            (error, result) = (_error, _result);
            _requestOn = null;
            _sink = default;
            _error = null;
        }

        _task.RunContinuationsAsynchronously = !inPlace;
        if (error is null) _task.SetResult(result);
        else _task.SetException(error);
    }
}
