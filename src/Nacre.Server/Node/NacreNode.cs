using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.Server.Mgs;
using Nacre.Server.Node.Control;
using Nacre.Server.Storage;

namespace Nacre.Server.Node;

/// <summary>
/// A running server process: one LNet NID, the management target, and the metadata and object targets of every file system its data
/// folder holds.
/// </summary>
public sealed partial class NacreNode : IAsyncDisposable
{
    /// <summary>Free bytes a start or an orderly stop needs: the databases' logs and their indexes, epochs and usage of the stores.</summary>
    private const long RoomToStart = 2L << 20;

    private readonly NodeOptions _options;
    private readonly DataFolder _data;
    private readonly SpaceReserve _reserve;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logging;
    private readonly ILogger _logger;
    private readonly LNetNode _lnet;
    private readonly RpcServer _rpc;
    private readonly MgsTarget _mgs;
    private ControlSocket? _control;
    private readonly TargetHost _host;
    private readonly DataRemover _remover;
    private int _disposed;

    /// <summary>Replaced, never changed: file systems come and go while others look. Replaced only while <see cref="_changing"/> is held.</summary>
    private volatile ImmutableSortedDictionary<string, FileSystemTargets> _fileSystems =
        ImmutableSortedDictionary.Create<string, FileSystemTargets>(StringComparer.Ordinal);

    private NacreNode(
        NodeOptions options, DataFolder data, SpaceReserve reserve, ITransport transport, TimeProvider time, ILoggerFactory logging)
    {
        _options = options;
        _data = data;
        _reserve = reserve;
        _time = time;
        _logging = logging;
        _logger = logging.CreateLogger<NacreNode>();
        _lnet = new LNetNode(
            new LNetOptions
            {
                LocalNid = options.Nid,
                Port = options.LNetPort,
                AcceptUnprivilegedPorts = options.AcceptUnprivilegedPorts,
            },
            transport,
            time,
            logging.CreateLogger<LNetNode>());
        _rpc = new RpcServer(
            _lnet,
            new RpcServerOptions { BulkPoolBytes = options.BulkMemoryBytes, IsRemoved = uuid => data.WasRemoved(FileSystemOf(uuid)) },
            time,
            logging.CreateLogger<RpcServer>());
        _mgs = OpenManagement(data, _rpc, time, logging);
        _host = new TargetHost(data, _rpc, reserve, time, logging);
        _remover = new DataRemover(time, logging.CreateLogger<DataRemover>());
    }

    public Nid Nid => _options.Nid;

    public int LNetPort => _options.LNetPort;

    /// <summary>What the node serves, by name.</summary>
    public IReadOnlyList<FileSystemRecord> FileSystems => [.. _fileSystems.Values.Select(targets => targets.Record)];

    /// <summary>What the node holds for its clients now.</summary>
    public NodeLoad Load
    {
        get
        {
            var (exports, locks, openFiles) = (_rpc.Exports(_mgs).Count, _mgs.Locks.LockCount, 0);
            foreach (var targets in _fileSystems.Values)
            {
                exports += targets.ExportCount;
                locks += targets.LockCount;
                openFiles += targets.OpenFileCount;
            }

            return new NodeLoad(_lnet.ConnectionCount, exports, locks, openFiles, _rpc.Bulk.InUse, _rpc.Bulk.Waiting);
        }
    }

    /// <summary>Opens the data folder, makes what is missing in it, and serves it.</summary>
    /// <exception cref="NodeConfigurationException">It cannot be started as asked.</exception>
    public static Task<NacreNode> StartAsync(
        NodeOptions options, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken) =>
        StartAsync(options, new TcpTransport(), time, logging, cancellationToken);

    /// <summary>As the other overload, over a transport of the caller's: tests pass one in memory.</summary>
    public static async Task<NacreNode> StartAsync(
        NodeOptions options, ITransport transport, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        // A big-endian peer is refused; a big-endian host would write every structure the wrong way round.
        if (!BitConverter.IsLittleEndian)
        {
            throw new NodeConfigurationException("this processor is big-endian: only little-endian ones are supported");
        }

        var data = DataFolder.Open(options.DataFolder);
        NacreNode node;
        SpaceReserve? reserve = null;
        try
        {
            reserve = OpenReserve(options, data, time, logging);
            node = new NacreNode(options, data, reserve, transport, time, logging);
        }
        catch
        {
            reserve?.Dispose();
            data.Dispose();
            throw;
        }

        try
        {
            await node.CheckAddressAsync(transport, cancellationToken);
            await node.StartTargetsAsync(cancellationToken);
            await node.ListenAsync(() => node._lnet.StartListeningAsync(node.Address, cancellationToken));
            node.LogListening(node.Address);
            node._control = ControlSocket.Open(data.Path, node.AnswerAsync, node._logger);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when <paramref name="cancellationToken"/> is cancelled, which is how a node is asked to stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(stopped.SetResult);
        await stopped.Task;
        LogStopping();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (_control is not null)
        {
            await _control.DisposeAsync();
        }

        // Nothing new comes in once LNet is closed; the targets finish what they have and close their stores.
        await _lnet.DisposeAsync();
        await _rpc.DisposeAsync();
        await _remover.DisposeAsync();
        _reserve.Require(RoomToStart);
        foreach (var targets in _fileSystems.Values)
        {
            await targets.DisposeAsync();
        }

        _mgs.Dispose();
        _reserve.Dispose();
        _changing.Dispose();
        _data.Dispose();
    }

    private static SpaceReserve OpenReserve(NodeOptions options, DataFolder data, TimeProvider time, ILoggerFactory logging)
    {
        try
        {
            var reserve = new SpaceReserve(data.Path, options.ReserveBytes, time, logging.CreateLogger<SpaceReserve>());
            reserve.Require(RoomToStart);
            return reserve;
        }
        catch (FsException e)
        {
            throw new NodeConfigurationException($"data folder {data.Path}: {e.Message}", e);
        }
    }

    private static MgsTarget OpenManagement(DataFolder data, RpcServer rpc, TimeProvider time, ILoggerFactory logging)
    {
        try
        {
            return new MgsTarget(data.MgsFolder, rpc.Evict, time, logging.CreateLogger<MgsTarget>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new NodeConfigurationException(e.Message, e);
        }
    }

    private async Task StartTargetsAsync(CancellationToken cancellationToken)
    {
        _rpc.AddTarget(_mgs);
        FinishRemovals();
        var records = Records();
        _host.OpenObjects = TargetHost.OpenObjectsFor(_options.FileDescriptors, records.Sum(record => record.OstCount));
        foreach (var record in records)
        {
            await ServeAsync(record, cancellationToken);
        }
    }

    private async Task ServeAsync(FileSystemRecord record, CancellationToken cancellationToken)
    {
        // Announced only once its metadata is on disk: from then on clients may have files in it.
        var isNew = !_mgs.HasFileSystem(record.Name);
        _fileSystems = _fileSystems.Add(record.Name, await FileSystemTargets.StartAsync(_host, record, isNew));
        await AnnounceAsync(record, cancellationToken);
    }

    /// <summary>What the folder holds and what was asked for, merged; new and changed records are saved.</summary>
    private List<FileSystemRecord> Records()
    {
        var records = _data.FileSystems().ToDictionary(record => record.Name, StringComparer.Ordinal);
        if (_options.FileSystems.CountBy(spec => spec.Name).FirstOrDefault(count => count.Value > 1).Key is { } twice)
        {
            throw new NodeConfigurationException($"file system '{twice}' is named twice");
        }

        foreach (var spec in _options.FileSystems)
        {
            records.TryGetValue(spec.Name, out var present);
            var wanted = present is null ? New(spec) : Grown(present, spec);
            if (wanted != present)
            {
                _data.Save(wanted);
                records[spec.Name] = wanted;
            }
        }

        return [.. records.Values.OrderBy(record => record.Name, StringComparer.Ordinal)];
    }

    private FileSystemRecord New(FileSystemSpec spec)
    {
        var capacity = spec.CapacityGib ?? (spec.OstCount ?? 1) * FileSystemSpec.GibPerOst;
        var osts = spec.OstCount ?? (int)Math.Clamp((capacity + FileSystemSpec.GibPerOst - 1) / FileSystemSpec.GibPerOst, 1, FileSystemSpec.MaxOsts);
        return new FileSystemRecord(spec.Name, osts, capacity) { Generation = _data.RemovedCount };
    }

    private static FileSystemRecord Grown(FileSystemRecord present, FileSystemSpec spec)
    {
        var osts = spec.OstCount ?? present.OstCount;
        if (osts < present.OstCount)
        {
            throw new NodeConfigurationException(
                $"file system '{present.Name}' has {present.OstCount} OSTs: OSTs can be added, not taken away");
        }

        var capacity = spec.CapacityGib ?? present.CapacityGib / present.OstCount * osts;
        return present with { OstCount = osts, CapacityGib = capacity };
    }

    private async Task AnnounceAsync(FileSystemRecord record, CancellationToken cancellationToken)
    {
        if (!_mgs.HasFileSystem(record.Name))
        {
            _mgs.AddFileSystem(record.Name, _options.Nid, record.OstCount);
            return;
        }

        for (var index = _mgs.OstCount(record.Name); index < record.OstCount; index++)
        {
            await _mgs.AddOstAsync(record.Name, index, _options.Nid, cancellationToken);
        }
    }

    /// <summary>The name in a target's UUID, for instance of <c>demo-OST0000_UUID</c> (04 section 1.2).</summary>
    private static string FileSystemOf(string uuid) => uuid.LastIndexOf('-') is var end and > 0 ? uuid[..end] : uuid;

    private IPEndPoint Address => new(_options.Nid.Address, _options.LNetPort);

    /// <summary>Finds an address that cannot be had before anything is made in the data folder for it.</summary>
    private Task CheckAddressAsync(ITransport transport, CancellationToken cancellationToken) => ListenAsync(async () =>
    {
        await using var listener = await transport.ListenAsync(Address, cancellationToken);
    });

    private async Task ListenAsync(Func<ValueTask> listen)
    {
        var at = Address;
        try
        {
            await listen();
        }
        catch (SocketException e)
        {
            throw new NodeConfigurationException(
                e.SocketErrorCode switch
                {
                    SocketError.AddressAlreadyInUse => $"port {at.Port} of {at.Address} is taken by another process",
                    SocketError.AccessDenied =>
                        $"no privilege to listen on port {at.Port}: run as root, grant CAP_NET_BIND_SERVICE, or take another port with --lnet-port",
                    SocketError.AddressNotAvailable => $"address {at.Address} of NID {_options.Nid} is not an address of this machine",
                    _ => $"cannot listen on {at}: {e.Message}",
                },
                e);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "listening on {At}")]
    private partial void LogListening(IPEndPoint at);

    [LoggerMessage(2, LogLevel.Information, "stopping")]
    private partial void LogStopping();
}
