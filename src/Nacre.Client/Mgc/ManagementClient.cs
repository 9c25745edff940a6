using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Nacre.Client.Targets;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mgc;

/// <summary>
/// The MGC: reads the file system's configuration from the MGS and follows it (04 sections 4 to 9). The log is read again, from where it ended, when
/// the lock on it is called back, and after an eviction; a failure then is logged and tried again.
/// </summary>
internal sealed partial class ManagementClient : ILockOwner, IAsyncDisposable
{
    private readonly MountOptions _options;
    private readonly ILogger _log;
    private readonly Target _target;
    private readonly Func<ConfigurationLog, CancellationToken, ValueTask> _onChange;
    private readonly ConfigurationLog _configuration;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationToken _stopping;
    private readonly SemaphoreSlim _reading = new(1);
    private readonly Lock _gate = new();
    private Task _following = Task.CompletedTask;
    private FollowedLog _lost;

    /// <param name="onChange">Called after each reading that found new records; never twice at a time.</param>
    public ManagementClient(
        ClientNetwork network, MountOptions options, Func<ConfigurationLog, CancellationToken, ValueTask> onChange)
    {
        _options = options;
        _onChange = onChange;
        _stopping = _stopped.Token;
        _log = options.Logging.CreateLogger<ManagementClient>();
        _configuration = new ConfigurationLog(_log);
        var peers = options.ManagementNids.Select(nid => new PeerId(nid, PeerId.LustrePid)).ToList();
        var import = new ImportOptions
        {
            TargetUuid = "MGS",
            Kind = TargetKind.Mgs,
            Peer = peers[0],
            FailoverPeers = peers[1..],
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = ImportOptions.MgsWanted,
        };
        var locks = new ClientNamespaceOptions { MaxAge = Timeout.InfiniteTimeSpan, Time = options.Time };
        _target = new Target(network.Rpc, import, locks, _log);
    }

    public Import Import => _target.Import;

    /// <summary>The reading of a mount: locks before logs, in the order of 04 section 10.2.</summary>
    /// <exception cref="RpcException">ENOENT: no such file system. EINVAL: its log is damaged or says nothing.</exception>
    public async ValueTask ReadAsync(CancellationToken ct)
    {
        await _reading.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await LockAsync(FollowedLog.Configuration, ct).ConfigureAwait(false);
            await ReadLogAsync($"{_options.FileSystem}-client", ct).ConfigureAwait(false);
            if (!_configuration.HasProfile || !_configuration.Targets.Exists(static target => target is { IsMdt: true, Index: 0 }))
            {
                throw new RpcException(Errno.EINVAL, message: "its configuration names no metadata target yet");
            }

            await _onChange(_configuration, ct).ConfigureAwait(false);
            await FollowTableAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _reading.Release();
        }
    }

    async ValueTask ILockOwner.OnCancelAsync(ClientLock heldLock, LockLoss reason)
    {
        if (reason != LockLoss.Unmount)
        {
            Lose((FollowedLog)heldLock.State!);
        }

        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    bool ILockOwner.TryGlimpse(ClientLock heldLock, out OstLvb lvb)
    {
        lvb = default;
        return false;
    }

    /// <summary>Stops following; <see cref="DisconnectAsync"/> comes before it in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _target.CloseAsync().ConfigureAwait(false);
        _reading.Dispose();
        _stopped.Dispose();
    }

    public async ValueTask DisconnectAsync(CancellationToken ct)
    {
        await StopAsync().ConfigureAwait(false);
        await _target.Locks.CancelAllAsync().AsTask().WaitAsync(ct).ConfigureAwait(false);
        await Import.DisconnectAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask StopAsync()
    {
        await _stopped.CancelAsync().ConfigureAwait(false);
        Task following;
        lock (_gate)
        {
            following = _following;
        }

        await following.ConfigureAwait(false);
    }

    private ValueTask LockAsync(FollowedLog log, CancellationToken ct) => LockAsync(
        LogNames.ResourceOf(_options.FileSystem, log == FollowedLog.Table ? LogNames.RecoverType : LogNames.ConfigurationType), log, ct);

    private async ValueTask LockAsync(LdlmResId resource, FollowedLog log, CancellationToken ct)
    {
        var request = new LockRequest(resource, LockType.Plain, LockMode.CR, default, this, log);
        using var held = await _target.Locks.EnqueueAsync(request, ct).ConfigureAwait(false);
    }

    private async ValueTask ReadLogAsync(string name, CancellationToken ct)
    {
        var log = await OpenLogAsync(name, ct).ConfigureAwait(false);
        var last = await ReadHeaderAsync(log, ct).ConfigureAwait(false);
        var offset = (ulong)LlogFormat.ChunkSize;
        while (_configuration.LastIndex < last)
        {
            var before = _configuration.LastIndex;
            offset = await ReadBlockAsync(log, offset, ct).ConfigureAwait(false);
            if (_configuration.LastIndex == before)
            {
                throw new RpcException(Errno.EIO, message: $"the log {name} ends at record {before} of {last}");
            }
        }
    }

    private async ValueTask<LlogLogid> OpenLogAsync(string name, CancellationToken ct)
    {
        var call = new RpcCall(Opcode.LlogOriginHandleCreate, LlogdBody.Size, name.Length + 1, MdtBody.Size);
        Encoding.ASCII.GetBytes(name, call.Buffer(2));
        call.Get<MdtBody>(3).Capability = uint.MaxValue;
        call.Get<MdtBody>(3).Suppgid = uint.MaxValue;
        using var reply = await SendAsync(call, ct).ConfigureAwait(false);
        return reply.Get<LlogdBody>(1).Logid;
    }

    /// <summary>Returns the index of the last record.</summary>
    private async ValueTask<uint> ReadHeaderAsync(LlogLogid log, CancellationToken ct)
    {
        var call = new RpcCall(Opcode.LlogOriginHandleReadHeader, LlogdBody.Size) { ReplyBytes = LlogFormat.ChunkSize + 1024 };
        call.Get<LlogdBody>(1) = new LlogdBody { Logid = log, LogFlags = LlogFlags.Plain };
        using var reply = await SendAsync(call, ct).ConfigureAwait(false);
        return CheckHeader(reply.Buffer(1));
    }

    /// <summary>The checks of 04 section 4.3.</summary>
    private static uint CheckHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == LlogFormat.ChunkSize)
        {
            var header = MemoryMarshal.Read<LlogLogHdr>(bytes);
            var tail = MemoryMarshal.Read<LlogRecTail>(bytes[^LlogRecTail.Size..]);
            if (header.Rec.Type == LlogRecordType.LogHeader && header.Rec.Len == LlogFormat.ChunkSize
                && tail.Len == LlogFormat.ChunkSize && (header.Flags & LlogFlags.Plain) != 0 && tail.Index < LlogFormat.BitmapBits)
            {
                return tail.Index;
            }
        }

        throw new RpcException(Errno.EINVAL, message: "the configuration log's header is damaged");
    }

    private async ValueTask<ulong> ReadBlockAsync(LlogLogid log, ulong offset, CancellationToken ct)
    {
        var call = new RpcCall(Opcode.LlogOriginHandleNextBlock, LlogdBody.Size) { ReplyBytes = LlogFormat.ChunkSize + 1024 };
        call.Get<LlogdBody>(1) = new LlogdBody
        {
            Logid = log,
            LogFlags = LlogFlags.Plain,
            Index = _configuration.LastIndex + 1,
            SavedIndex = _configuration.LastIndex,
            Len = LlogFormat.ChunkSize,
            CurrentOffset = offset,
        };
        using var reply = await SendAsync(call, ct).ConfigureAwait(false);
        var answer = reply.Get<LlogdBody>(1);
        var chunk = reply.Buffer(2);
        var valid = answer.CurrentOffset == 0 ? 0 : (int)((answer.CurrentOffset - 1) % LlogFormat.ChunkSize) + 1;
        _configuration.Take(chunk[..Math.Min(valid, chunk.Length)]);
        return answer.CurrentOffset;
    }

    private async ValueTask<RpcReply> SendAsync(RpcCall call, CancellationToken ct) =>
        (await Import.SendAsync(call, ct).ConfigureAwait(false)).ThrowIfFailed();
}

/// <summary>What is followed under a configuration lock of its own.</summary>
[Flags]
internal enum FollowedLog
{
    None = 0,
    Configuration = 1,

    /// <summary>The table of targets that have restarted (04 section 9).</summary>
    Table = 2,
}
