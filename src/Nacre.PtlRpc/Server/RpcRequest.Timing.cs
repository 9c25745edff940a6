using System.Runtime.CompilerServices;
using Nacre.LNet;
using Nacre.PtlRpc.Timing;

namespace Nacre.PtlRpc;

/// <summary>An early reply to be sent: the request itself may be done by then.</summary>
internal readonly record struct EarlyReply(
    Export Export, RpcService Service, PeerId Peer, Nid Self, uint Opcode, ulong MatchBits, int TotalSeconds, int ElapsedSeconds);

/// <summary>Deadlines, early replies, and the way back from a handler that had to wait (02 section 6.7).</summary>
public sealed partial class RpcRequest : IDeadlineOwner
{
    private readonly DeadlineNode _deadlineNode;
    private readonly Action _onHandlerDone;
    private ValueTaskAwaiter _awaiter;
    private long _arrival;
    private long _deadline;
    private bool _suspended;

    /// <summary>Time the client still waits, as far as this node told it; zero when it has given up.</summary>
    public TimeSpan Remaining
    {
        get
        {
            lock (_state)
            {
                return TimeSpan.FromMilliseconds(Math.Max(0, _deadline - _server.Clock.Milliseconds));
            }
        }
    }

    /// <summary>Seconds since arrival, at least 1, as <c>pb_service_time</c> wants it.</summary>
    internal int ServiceSeconds(long now) => (int)Math.Max(1, (now - _arrival) / 1000);

    /// <summary>
    /// The handler waits for something: watch the client's deadline, and come back when it is done. The request must not be
    /// touched after this call.
    /// </summary>
    internal void Suspend(ValueTaskAwaiter awaiter, long now)
    {
        _waitsFor = Export.Client;
        _server.CountWaiting(_waitsFor, Bytes);
        lock (_state)
        {
            _suspended = true;
            SetEarlyReply(now);
        }

        _awaiter = awaiter;
        _awaiter.UnsafeOnCompleted(_onHandlerDone);
    }

    internal void StopTiming()
    {
        _server.Wheel.Clear(_deadlineNode);
        if (_suspended)
        {
            _server.CountWaiting(_waitsFor!, -Bytes);
        }
    }

    /// <summary>Sends an early reply when the client is about to give up, and extends its deadline.</summary>
    void IDeadlineOwner.OnDeadline(int version, long now)
    {
        if (TryExtend(version, now, out var early))
        {
            // Outside of the lock: sending may run what waited for the network. A final reply that overtakes it does no harm; the
            // client has withdrawn its buffer then.
            _server.SendEarlyReply(early);
        }
    }

    private bool TryExtend(int version, long now, out EarlyReply early)
    {
        early = default;
        lock (_state)
        {
            if (version != _version || _finished || _superseded)
            {
                return false;
            }

            var options = _server.Options;
            var elapsed = (int)((now - _arrival) / 1000);
            var total = Math.Min(options.MaximumEstimate, Math.Max(elapsed + options.EarlyExtra, _service.Estimate.Current(now)));
            var deadline = _arrival + (total * 1000L);
            if (deadline <= _deadline)
            {
                _server.OnDrawnOut(this);
                return false;
            }

            early = new EarlyReply(Export, _service, Peer, Self, Opcode, ReplyMatchBits, total, Math.Max(1, elapsed));
            _service.Estimate.Observe(total, now);
            _deadline = deadline;
            SetEarlyReply(now);
            return true;
        }
    }

    private void BeginTiming(uint timeoutSeconds, long now)
    {
        _arrival = now;
        _deadline = DeadlineOf(timeoutSeconds, now);
    }

    /// <summary>
    /// The copy counts from its own arrival. A service time longer than the client has waited since it sent the copy would make it
    /// complain, so the arrival moves too.
    /// </summary>
    private void RenewDeadline(uint timeoutSeconds, long now)
    {
        _arrival = now;
        _deadline = DeadlineOf(timeoutSeconds, now);
        if (_suspended && !_finished)
        {
            SetEarlyReply(now);
        }
    }

    private long DeadlineOf(uint timeoutSeconds, long now) => now + (_adaptive
        ? Math.Min(timeoutSeconds, (uint)_server.Options.MaximumEstimate) * 1000L
        : (long)_server.Options.BulkTimeout.TotalMilliseconds);

    private void SetEarlyReply(long now)
    {
        if (_adaptive)
        {
            _server.Wheel.Set(_deadlineNode, Math.Max(now, _deadline - (_server.Options.EarlyMargin * 1000L)), _version);
        }
        else
        {
            _server.Wheel.Clear(_deadlineNode);
        }
    }

    private void OnHandlerDone()
    {
        var awaiter = _awaiter;
        _awaiter = default;
        _server.FinishHandler(this, awaiter);
    }
}
