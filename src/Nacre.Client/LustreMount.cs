using Microsoft.Extensions.Logging;
using Nacre.Client.Files;
using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Mgc;
using Nacre.Client.Osc;
using Nacre.Client.Targets;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>A mounted Lustre file system. Safe for any thread.</summary>
public sealed partial class LustreMount : IAsyncDisposable
{
    private readonly ClientNetwork _network;
    private readonly ILogger _log;
    private readonly string _clientUuid = Guid.NewGuid().ToString();
    private readonly ManagementClient _mgc;
    private readonly DataClient _data;
    private readonly OstConnections _osts;
    private readonly StatusCache _status;
    private Target? _mdt;
    private MetadataClient? _mdc;
    private InodeTable? _inodes;
    private LustreVfs? _vfs;
    private int _ended;

    private LustreMount(MountOptions options)
    {
        Options = options;
        _log = options.Logging.CreateLogger<LustreMount>();
        _network = new ClientNetwork(options);
        _data = new DataClient(DataOptionsOf(options), options.Logging);
        _osts = new OstConnections(_network, _data, options, _clientUuid);
        _data.MayCome = index => !_osts.IsNamed(index);
        _mgc = new ManagementClient(_network, options, FollowAsync) { OnRestarted = OnRestarted };
        _status = new StatusCache(options.Time, FetchStatusAsync);
    }

    public MountOptions Options { get; }

    /// <summary>The file system by inodes.</summary>
    public IVfs Vfs => _vfs ?? throw new InvalidOperationException("not mounted yet");

    /// <summary>Indices of the OSTs the configuration names, in order.</summary>
    public IReadOnlyList<int> Osts => _osts.Indices;

    /// <summary>How often the metadata server has forgotten this client.</summary>
    public int Evictions => _mdt?.Evictions ?? 0;

    internal InodeTable Inodes => _inodes ?? throw new InvalidOperationException("not mounted yet");

    internal MetadataClient Mdc => _mdc ?? throw new InvalidOperationException("not mounted yet");

    internal Import Mgs => _mgc.Import;

    internal OstConnections Connections => _osts;

    /// <summary>Mounts: the walk of 04 section 10.</summary>
    /// <exception cref="MountException">Says in plain words what is wrong.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>.</exception>
    public static async Task<LustreMount> MountAsync(MountOptions options, CancellationToken ct = default)
    {
        var mount = new LustreMount(options);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            using var timeout = new CancellationTokenSource(options.MountTimeout, options.Time);
            using var expiry = timeout.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);
            await mount.ConnectAsync(limit.Token, ct).ConfigureAwait(false);
            return mount;
        }
        catch
        {
            await mount.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Writes everything back, gives all locks up, and says goodbye to the servers (04 section 10.4). What does not answer within
    /// <see cref="MountOptions.UnmountTimeout"/> is left alone: its servers notice by themselves.
    /// </summary>
    /// <param name="force">Do not wait for anybody: operations under way fail, what is not written is lost.</param>
    public async ValueTask UnmountAsync(bool force = false)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return;
        }

        if (!force)
        {
            await TryLeaveAsync().ConfigureAwait(false);
        }

        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>As <see cref="UnmountAsync"/> without a word to the servers.</summary>
    public ValueTask DisposeAsync() => UnmountAsync(force: true);

    private static DataOptions DataOptionsOf(MountOptions options) => new()
    {
        CacheBytes = options.CacheBytes,
        DirtyBytesPerTarget = options.DirtyBytesPerOst,
        ReadAheadBytes = options.ReadAheadBytes,
        Checksums = options.Checksums,
        JobId = options.JobId,
        Locks = new ClientNamespaceOptions { MaxUnused = options.MaxDataLocks, MaxAge = options.MaxLockAge, Time = options.Time },
        Time = options.Time,
    };

    private async Task ConnectAsync(CancellationToken limit, CancellationToken ct)
    {
        var report = new MountReport(Options, _network);
        await report.RunAsync(report.ConnectAsync(_mgc.Import, limit), MountStep.Management, limit, ct).ConfigureAwait(false);
        await report.RunAsync(_mgc.ReadAsync(limit).AsTask(), MountStep.Configuration, limit, ct).ConfigureAwait(false);
        await report.RunAsync(report.ConnectAsync(_mdt!.Import, limit), MountStep.Metadata, limit, ct).ConfigureAwait(false);
        await report.RunAsync(ReadRootAsync(limit), MountStep.Root, limit, ct).ConfigureAwait(false);
        LogMounted(_log, Options.FileSystem, _network.LocalNid, _clientUuid);
    }

    private async Task ReadRootAsync(CancellationToken ct)
    {
        var mdc = Mdc;
        _ = (await mdc.GetStatusAsync(wholeFileSystem: false, ct).ConfigureAwait(false)).Value;
        var fid = (await mdc.GetRootAsync(Options.SubDirectory, ct).ConfigureAwait(false)).Value;
        using var reply = (await mdc.GetAttributesAsync(fid, ct).ConfigureAwait(false)).Value;
        var body = reply.Get<MdtBody>(1);
        if ((body.Mode & FileTypes.Mask) != FileTypes.Directory)
        {
            throw new ErrnoException(Errno.ENOTDIR);
        }

        var root = Inodes.Get(fid, body.Mode) ?? throw new ErrnoException(Errno.EPROTO);
        root.TakeUnlocked(body);
        _vfs = new LustreVfs(mdc, Inodes, Options, root, _status.GetAsync) { Targets = GetTargetsAsync };
    }

    /// <summary>Called by the MGC, for the mount and after each change.</summary>
    private ValueTask FollowAsync(ConfigurationLog configuration, CancellationToken ct)
    {
        if (_mdt is null)
        {
            MakeMetadata(configuration.Targets.Single(static target => target is { IsMdt: true, Index: 0 }));
        }

        _osts.Follow(configuration.Targets.Where(static target => !target.IsMdt));
        return ValueTask.CompletedTask;
    }

    private void MakeMetadata(ConfiguredTarget target)
    {
        var peers = target.Nodes.Select(static nid => new PeerId(nid, PeerId.LustrePid)).ToList();
        var import = new ImportOptions
        {
            TargetUuid = target.Uuid,
            Kind = TargetKind.Mdt,
            Peer = peers[0],
            FailoverPeers = peers[1..],
            ClientUuid = _clientUuid,
            Wanted = MetadataConnect.Wanted(Options),
        };
        var locks = new ClientNamespaceOptions { MaxUnused = Options.MaxMetadataLocks, MaxAge = Options.MaxLockAge, Time = Options.Time };
        _mdt = new Target(_network.Rpc, import, locks, _log);
        _mdc = new MetadataClient(_mdt, Options);
        _mdt.Evicted = _ => _mdc.Fids.Forget();
        _inodes = new InodeTable(_mdc, _data, Options);
    }

    private void OnRestarted(RestartedTarget restarted)
    {
        if (!restarted.IsMdt)
        {
            _osts.OnRestarted(restarted);
        }
        else if (restarted.Index == 0 && _mdt is { } mdt)
        {
            Restarts.Follow(mdt.Import, restarted);
        }
    }

    private async ValueTask TryLeaveAsync()
    {
        using var limit = new CancellationTokenSource(Options.UnmountTimeout, Options.Time);
        try
        {
            await LeaveAsync(limit.Token).AsTask().WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is OperationCanceledException or ErrnoException)
        {
            LogLeftWithoutWord(_log, Options.FileSystem, failure.Message);
        }
    }

    private async ValueTask LeaveAsync(CancellationToken ct)
    {
        if (_inodes is { } inodes)
        {
            await inodes.CloseAllDataAsync().ConfigureAwait(false);
        }

        await _data.FlushAsync(ct).ConfigureAwait(false);
        await _mgc.DisconnectAsync(ct).ConfigureAwait(false);
        await _osts.DisconnectAsync(ct).ConfigureAwait(false);
        if (_mdt is { } mdt)
        {
            await mdt.Import.DisconnectAsync(ct).ConfigureAwait(false);
        }
    }

    private async ValueTask CloseAsync()
    {
        await _mgc.DisposeAsync().ConfigureAwait(false);
        await _osts.CloseAsync().ConfigureAwait(false);
        if (_mdt is { } mdt)
        {
            await mdt.CloseAsync().ConfigureAwait(false);
        }

        await _data.DisposeAsync().ConfigureAwait(false);
        await _network.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<Outcome<FileSystemStatus>> FetchStatusAsync(CancellationToken ct)
    {
        var metadata = await Mdc.GetStatusAsync(wholeFileSystem: true, ct).ConfigureAwait(false);
        if (!metadata.IsOk)
        {
            return new Failure(metadata.Errno);
        }

        if ((metadata.Value.State & StatfsState.Sum) != 0)
        {
            return StatusCache.Combine(metadata.Value, null);
        }

        var objects = await _osts.GetStatusAsync(ct).ConfigureAwait(false);
        return StatusCache.Combine(metadata.Value, objects.IsOk ? objects.Value : null);
    }

    [LoggerMessage(4000, LogLevel.Information, "mounted {FileSystem} as {Nid}, client {Uuid}")]
    private static partial void LogMounted(ILogger log, string fileSystem, Nid nid, string uuid);

    [LoggerMessage(4001, LogLevel.Warning, "unmounted {FileSystem} without having heard from all servers: {Why}")]
    private static partial void LogLeftWithoutWord(ILogger log, string fileSystem, string why);
}
