using System.Net.Sockets;

namespace Nacre.LNet.Connections;

/// <content>
/// The receive loop: takes what is there, works through every complete message, and only then waits. Large payloads go from
/// the socket straight to where they belong.
/// </content>
internal sealed partial class Connection
{
    /// <summary>Receives that did not have to wait, after which other connections get their turn.</summary>
    private const int MaxEagerReceives = 16;

    /// <summary>What the loop has to do next.</summary>
    private enum Step
    {
        /// <summary>Look at the next message.</summary>
        Continue,

        /// <summary>Receive until <c>_needed</c> bytes are buffered.</summary>
        NeedMore,

        /// <summary>Receive the rest of a payload into its destination.</summary>
        Transfer,

        /// <summary>Nothing: the peer broke the protocol, and <c>_violation</c> says how.</summary>
        Violation,
    }

    private ReceiveBuffer _input = null!;
    private int _needed;
    private int _eagerReceives;
    private string _violation = "";
    private long _bytesReceived;
    private volatile bool _insideMessage;

    /// <summary>Runs until the connection ends. Never throws.</summary>
    public async Task ReceiveLoopAsync()
    {
        await default(ThreadPoolYield);
        _input = new ReceiveBuffer(_node.Buffers, _node.Options.ReceiveBufferBytes);
        string reason;
        try
        {
            reason = await ReceiveAllAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionFailure(e))
        {
            reason = e is SocketException s ? s.SocketErrorCode.ToString() : e.Message;
        }
        catch (Exception e)
        {
            Log.ReceiveLoopFailed(_node.Logger, this, e);
            reason = "internal error";
        }

        // No receive is under way any more, so memory that a transfer was given is free from here on.
        Fail(reason);
        Close();
        BreakTransfer();
        _input.Release();
    }

    /// <summary>Returns why the connection ended.</summary>
    private async Task<string> ReceiveAllAsync()
    {
        while (true)
        {
            var step = WorkThroughInput();
            if (step == Step.Violation) return _violation;

            var into = step == Step.Transfer ? _transfer : _input.Prepare(_needed);
            _insideMessage = _insidePayload || _input.Length > 0;
            if (_eagerReceives >= MaxEagerReceives)
            {
                _eagerReceives = 0;
                await default(ThreadPoolYield);
            }

            var receive = _bytes.ReceiveAsync(into);
            _eagerReceives = receive.IsCompleted ? _eagerReceives + 1 : 0;
            var count = await receive.ConfigureAwait(false);
            if (count == 0) return _insideMessage ? "closed by the peer inside a message" : "closed by the peer";

            Volatile.Write(ref _bytesReceived, _bytesReceived + count);
            if (step == Step.Transfer) _transfer = _transfer[count..];
            else _input.Commit(count);
        }
    }

    /// <summary>Works through all that is buffered. What it causes to be sent leaves when it is done.</summary>
    private Step WorkThroughInput()
    {
        var batch = SendBatch.Enter();
        try
        {
            Step step;
            do
            {
                step = _insidePayload ? ContinuePayload() : NextMessage();
            }
            while (step == Step.Continue);
            return step;
        }
        finally
        {
            batch.Leave();
        }
    }

    private Step Need(int bytes)
    {
        _needed = bytes;
        return Step.NeedMore;
    }

    private Step Violate(string what)
    {
        _violation = "protocol violation: " + what;
        _node.PeerLog.ProtocolViolation(this, what);
        return Step.Violation;
    }
}
