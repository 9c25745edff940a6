using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Connecting, reconnecting, disconnecting (02 sections 9 and 15).</summary>
public sealed partial class Import
{
    private static readonly TimeSpan MaxConnectTimeout = TimeSpan.FromSeconds(50);
    private static readonly TimeSpan ConnectTimeoutStep = TimeSpan.FromSeconds(5);

    private enum ConnectOutcome
    {
        Connected,
        Retry,

        /// <summary>No use in trying again.</summary>
        Fatal,
    }

    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ObdConnectData _wanted;
    private bool _connecting;
    private int _lastConnectErrno;
    private readonly TaskCompletionSource _allFailed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Connects, trying for as long as it takes; completes when the import is <see cref="ImportState.Full"/>.
    /// </summary>
    /// <exception cref="RpcException">The server refuses for good (EACCES, EPROTO), or the import was closed.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped waiting; the import goes on trying.</exception>
    public Task ConnectAsync(CancellationToken ct = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_state == ImportState.Closed, this);
            if (_state is ImportState.New or ImportState.Idle)
            {
                StartConnecting();
            }

            return _connected.Task.WaitAsync(ct);
        }
    }

    /// <summary>Errno (positive) of the last connect the server refused; 0 after a good one, ETIMEDOUT without an answer.</summary>
    public int LastConnectErrno => Volatile.Read(ref _lastConnectErrno);

    /// <summary>Completes when a connect has been tried in vain at every node of <see cref="ImportOptions.FailoverPeers"/> since it began to.</summary>
    public Task WhenAllPeersFailedAsync(CancellationToken ct = default) => _allFailed.Task.WaitAsync(ct);

    /// <summary>
    /// Says goodbye: the server drops this client's locks, opens and grants. Then the import is closed. What the server answers, and
    /// whether it does, does not matter.
    /// </summary>
    public async ValueTask DisconnectAsync(CancellationToken ct = default)
    {
        bool connected;
        lock (_gate)
        {
            connected = _state == ImportState.Full;
        }

        if (connected)
        {
            await TrySendAloneAsync(DisconnectOpcode, BodyFlags.None, ct).ConfigureAwait(false);
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Breaks off the connection and makes a new one, as after a timeout. For tests of what happens then.</summary>
    public void Reconnect()
    {
        lock (_gate)
        {
            Lose("asked to reconnect");
        }
    }

    /// <summary>The connection is of no use any more; calls under way wait for a new one. Called under the gate.</summary>
    private void Lose(string why)
    {
        if (_state == ImportState.Full)
        {
            SetState(ImportState.Disconnected);
            LogLost(Client.Log, Options.TargetUuid, why);
            StartConnecting();
        }
    }

    private void WakeFromIdle()
    {
        if (_state == ImportState.Idle)
        {
            StartConnecting();
        }
    }

    private void StartConnecting()
    {
        if (_connecting)
        {
            return;
        }

        _connecting = true;
        if (_connected.Task.IsCompleted)
        {
            _connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        SetState(ImportState.Disconnected);
        _ = Task.Run(ConnectLoopAsync, CancellationToken.None);
    }

    private void SetState(ImportState state)
    {
        if (_state != ImportState.Closed && _state != state)
        {
            _state = state;
            LogState(Client.Log, Options.TargetUuid, state);
        }
    }

    private async Task ConnectLoopAsync()
    {
        try
        {
            var failures = 0;
            while (!_closing.IsCancellationRequested)
            {
                var outcome = await ConnectOnceAsync(failures).ConfigureAwait(false);
                if (outcome == ConnectOutcome.Connected)
                {
                    return;
                }

                if (outcome == ConnectOutcome.Fatal)
                {
                    LogRefused(Client.Log, Options.TargetUuid, Errno.Name(LastConnectErrno));
                    Close(LastConnectErrno);
                    return;
                }

                if (++failures >= _peers.Length)
                {
                    _allFailed.TrySetResult();
                }

                lock (_gate)
                {
                    SetState(ImportState.Disconnected);
                    _peerIndex = (_peerIndex + 1) % _peers.Length;
                }

                await Task.Delay(Client.Options.ReconnectDelay, Client.Clock.Provider, _closing).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Closed; whoever waited has been told.
        }
        catch (Exception failure)
        {
            LogLoopFailed(Client.Log, failure, Options.TargetUuid);
            Close(Errno.EIO);
        }
    }

    private async Task<ConnectOutcome> ConnectOnceAsync(int failures)
    {
        if (!await TryDialAsync().ConfigureAwait(false))
        {
            Volatile.Write(ref _lastConnectErrno, Errno.ETIMEDOUT);
            return ConnectOutcome.Retry;
        }

        bool initial;
        var message = new MessageBuilder();
        lock (_gate)
        {
            SetState(ImportState.Connecting);
            initial = _serverHandle == 0;
            BuildConnect(message, initial);
        }

        var patience = Client.Options.ConnectTimeout + (failures * ConnectTimeoutStep);
        var xid = Client.Xids.Next();
        using var reply = await ExchangeAsync(
            message, xid, xid, patience < MaxConnectTimeout ? patience : MaxConnectTimeout, _closing).ConfigureAwait(false);
        if (reply is null || reply.Status < 0)
        {
            var errno = reply is null ? Errno.ETIMEDOUT : -reply.Status;
            Volatile.Write(ref _lastConnectErrno, errno);
            LogConnectFailed(Client.Log, Options.TargetUuid, Errno.Name(errno));
            return IsFatal(reply) ? ConnectOutcome.Fatal : ConnectOutcome.Retry;
        }

        return await InterpretAsync(reply, initial).ConfigureAwait(false);
    }

    private async ValueTask<bool> TryDialAsync()
    {
        if (Client.Options.Dial is not { } dial)
        {
            return true;
        }

        try
        {
            await dial(Peer, _closing).ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !_closing.IsCancellationRequested)
        {
            LogConnectFailed(Client.Log, Options.TargetUuid, failure.Message);
            return false;
        }
    }

    /// <summary>-EACCES, and -EPROTO from a server of another version that says so (02 section 9.5).</summary>
    private static bool IsFatal(RpcReply? reply)
    {
        if (reply is null || reply.Status == -Errno.EACCES)
        {
            return reply is not null;
        }

        if (reply.Status != -Errno.EPROTO || reply.BufferLength(1) < ObdConnectData.SizeV1)
        {
            return false;
        }

        ObdConnectData.Read(reply.Buffer(1), out var data);
        return data.Has(ConnectFlags.Version) && data.Version != ObdConnectData.Version2158;
    }

    private void BuildConnect(MessageBuilder message, bool initial)
    {
        message.Start([ObdUuid.BufferSize, ObdUuid.BufferSize, LustreHandle.Size, ObdConnectData.Size, 0]);
        message.Header.SecurityFlavour = SecurityFlavour;
        message.Header.ReplySize = ReplyWaiter.ReplyBytes;
        ref var body = ref message.Body;
        body.Handle = _serverHandle;
        body.Type = MessageType.Request;
        body.Version = ServiceVersion.Obd | ServiceVersion.Message;
        body.Opcode = ConnectOpcode;
        body.Status = Environment.ProcessId;
        body.OperationFlags = initial ? ConnectOperationFlags.Initial : ConnectOperationFlags.None;
        body.ConnectionCount = ++_connectionCount;
        body.Timeout = (uint)Client.Options.ConnectTimeout.TotalSeconds;
        body.ServiceTime = 1;
        ObdUuid.Write(Options.TargetUuid, message.Buffer(1));
        ObdUuid.Write(_clientUuid, message.Buffer(2));
        message.Get<LustreHandle>(3) = ClientHandle;
        message.Get<ObdConnectData>(4) = _wanted;
    }

    /// <summary>Reads the reply as 02 section 9.4 says, without replay.</summary>
    private async Task<ConnectOutcome> InterpretAsync(RpcReply reply, bool initial)
    {
        if (reply.BufferLength(1) < ObdConnectData.SizeV1)
        {
            Volatile.Write(ref _lastConnectErrno, Errno.EPROTO);
            return ConnectOutcome.Retry;
        }

        ObdConnectData.Read(reply.Buffer(1), out var granted);
        if ((granted.Flags & ~_wanted.Flags) != 0 || (granted.Flags2 & ~_wanted.Flags2) != 0)
        {
            Volatile.Write(ref _lastConnectErrno, Errno.EPROTO);
            LogConnectFailed(Client.Log, Options.TargetUuid, "granted what was not asked for");
            return granted.Has(ConnectFlags.Version) && granted.Version != ObdConnectData.Version2158
                ? ConnectOutcome.Fatal
                : ConnectOutcome.Retry;
        }

        Volatile.Write(ref _lastConnectErrno, 0);
        var flags = reply.Body.OperationFlags;
        var kept = Adopt(reply, granted, initial);
        if (initial)
        {
            if ((flags & ConnectOperationFlags.Recovering) != 0)
            {
                await WaitForEndOfRecoveryAsync().ConfigureAwait(false);
            }

            GoFull();
            return ConnectOutcome.Connected;
        }

        var recovering = (flags & ConnectOperationFlags.Recovering) != 0;
        if (kept && (flags & ConnectOperationFlags.Reconnect) != 0 && !recovering)
        {
            GoFull();
            return ConnectOutcome.Connected;
        }

        return await AcceptEvictionAsync(recovering).ConfigureAwait(false);
    }

    /// <summary>Takes over handle and data; true when the handle is still the old one.</summary>
    private bool Adopt(RpcReply reply, in ObdConnectData granted, bool initial)
    {
        lock (_gate)
        {
            var kept = _serverHandle == reply.Body.Handle;
            _serverHandle = reply.Body.Handle;
            _connectData = granted;
            // A reconnect asks for all flags again, with the values it was given (02 section 10.5).
            var (flags, flags2) = (_wanted.Flags, _wanted.Flags2);
            _wanted = granted;
            _wanted.Flags = flags;
            _wanted.Flags2 = flags2;
            _wanted.Version = ObdConnectData.Version2158;
            if (reply.Body.Timeout != 0)
            {
                _estimates[_defaultPortal] = (int)Math.Min(reply.Body.Timeout, (uint)MaximumEstimate);
            }

            _tags.Resize(granted.Has(ConnectFlags.Multimodrpcs) ? granted.MaxModRpcs : 1);
            return kept && !initial;
        }
    }

    /// <summary>
    /// The server has forgotten this client. A server in recovery would wait for replays this client does not do: it is told goodbye,
    /// and gets a new client instead.
    /// </summary>
    private async Task<ConnectOutcome> AcceptEvictionAsync(bool recovering)
    {
        List<ImportCall> failed;
        lock (_gate)
        {
            SetState(ImportState.Evicted);
            failed = TakeAllCalls();
        }

        LogEvicted(Client.Log, Options.TargetUuid);
        Fail(failed, Errno.EIO);
        Options.OnEvicted?.Invoke(this);
        if (recovering)
        {
            await TrySendAloneAsync(DisconnectOpcode, BodyFlags.None, _closing).ConfigureAwait(false);
            lock (_gate)
            {
                _serverHandle = 0;
                _clientUuid = Guid.NewGuid().ToString();
            }

            return ConnectOutcome.Retry;
        }

        GoFull();
        return ConnectOutcome.Connected;
    }

    /// <summary>A new client in a recovery has nothing to replay, and says so; the answer comes at the end (02 section 13.1).</summary>
    private async Task WaitForEndOfRecoveryAsync()
    {
        lock (_gate)
        {
            SetState(ImportState.ReplayWait);
        }

        await TrySendAloneAsync(
            Opcode.ObdPing, BodyFlags.RequestReplayDone | BodyFlags.LockReplayDone, _closing).ConfigureAwait(false);
    }

    /// <summary>Resends what is unanswered, then sends what has waited.</summary>
    private void GoFull()
    {
        TaskCompletionSource connected;
        List<ImportCall> failed = [];
        lock (_gate)
        {
            _connecting = false;
            if (_state == ImportState.Closed)
            {
                return;
            }

            SetState(ImportState.Recover);
            SetState(ImportState.Full);
            _lastSent = _lastUse = Client.Clock.Milliseconds;
            foreach (var call in _pending.ToList())
            {
                call.RetryPending = false;
                if (call.Call.NoResend)
                {
                    Retire(call);
                    failed.Add(call);
                }
                else
                {
                    Resend(call);
                }
            }

            while (TryTakeUnsent(out var call))
            {
                Transmit(call);
            }

            connected = _connected;
        }

        connected.TrySetResult();
        SendPrepared();
        Fail(failed, Errno.ENOTCONN);
    }

    private async Task IdleAsync()
    {
        lock (_gate)
        {
            if (_state != ImportState.Full || _pending.Count != 0)
            {
                return;
            }

            SetState(ImportState.Connecting);
        }

        await TrySendAloneAsync(DisconnectOpcode, BodyFlags.None, _closing).ConfigureAwait(false);
        lock (_gate)
        {
            _serverHandle = 0;
            SetState(ImportState.Idle);
            if (_unsent.Count > 0)
            {
                StartConnecting();
            }
        }
    }

    /// <summary>Sends a request of the body only, whatever the state, and does not mind what becomes of it.</summary>
    private async ValueTask TrySendAloneAsync(uint opcode, BodyFlags flags, CancellationToken ct)
    {
        var message = new MessageBuilder();
        message.Start([]);
        var xid = Client.Xids.Next();
        TimeSpan patience;
        lock (_gate)
        {
            var adaptive = _connectData.Has(ConnectFlags.At);
            message.Header.SecurityFlavour = SecurityFlavour;
            message.Header.ReplySize = MessageLayout.EarlyReplySize;
            message.Header.Flags = MessageFlags.ChecksumIncompat18 | (adaptive ? MessageFlags.AdaptiveTimeouts : 0);
            ref var body = ref message.Body;
            body.Handle = _serverHandle;
            body.Type = MessageType.Request;
            body.Version = ServiceVersion.Obd | ServiceVersion.Message;
            body.Opcode = opcode;
            body.Status = Environment.ProcessId;
            body.Flags = flags;
            body.ConnectionCount = _connectionCount;
            body.Timeout = (uint)TimeoutSeconds(_defaultPortal);
            body.MatchBits = HasRepMbits ? xid : 0;
            patience = TimeSpan.FromSeconds(body.Timeout);
        }

        try
        {
            using var reply = await ExchangeAsync(message, xid, xid, patience, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for it any more.
        }
    }

    /// <summary>One request outside the list of calls; null when no reply came.</summary>
    private async ValueTask<RpcReply?> ExchangeAsync(
        MessageBuilder message, ulong xid, ulong matchBits, TimeSpan patience, CancellationToken ct)
    {
        var waiter = new ReplyWaiter();
        using var posted = waiter.Post(Client.LNet, Portal.ReplyOf(_defaultPortal), Peer, matchBits);
        if (!Client.LNet.TryPut(Peer, Client.LNet.LocalNid, _defaultPortal, xid, 0, message.Finish()))
        {
            return null;
        }

        return await waiter.WaitAsync(patience, Client.Clock.Provider, CancellationToken.None, ct).ConfigureAwait(false);
    }

    private uint ConnectOpcode => Options.Kind switch
    {
        TargetKind.Mgs => Opcode.MgsConnect,
        TargetKind.Mdt => Opcode.MdsConnect,
        _ => Opcode.OstConnect,
    };

    private uint DisconnectOpcode => Options.Kind switch
    {
        TargetKind.Mgs => Opcode.MgsDisconnect,
        TargetKind.Mdt => Opcode.MdsDisconnect,
        _ => Opcode.OstDisconnect,
    };
}
