using Microsoft.Extensions.Logging;
using Nacre.Ldlm;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Ost;
using Nacre.Server.Storage;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Node;

/// <summary>The targets of one file system on this node: its MDT and its OSTs, with their stores.</summary>
internal sealed class FileSystemTargets : IAsyncDisposable
{
    /// <summary>A kernel client reads of a new OST within 10 s (04 section 8.4), and connects at once.</summary>
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly TargetHost _host;
    private readonly MetadataStore _store;
    private readonly MdtFileSystem _files;
    private readonly MdtTarget _mdt;

    /// <summary>Replaced, never changed: an OST may be added while others look.</summary>
    private volatile (OstTarget Target, ObjectStore Store)[] _osts = [];

    /// <summary>OSTs that new files may have objects on: the first ones.</summary>
    private int _usedOsts;
    private Task _using = Task.CompletedTask;
    private readonly CancellationTokenSource _ending = new();
    private Task? _stopped;
    private bool _disposed;

    private FileSystemTargets(TargetHost host, FileSystemRecord record, MetadataStore store)
    {
        _host = host;
        _store = store;
        Record = record;
        _files = new MdtFileSystem(store, new MdtFileSystemOptions(), host.Time);
        _mdt = new MdtTarget(
            new MdtTargetOptions
            {
                FileSystemName = record.Name,
                Generation = record.Generation,
                Identity = IdentityOf(record),
            },
            _files,
            host.Rpc,
            new LdlmOptions(),
            host.Time,
            host.Logging.CreateLogger<MdtTarget>());
    }

    /// <summary>It is being removed, or a removal has failed on its way.</summary>
    public bool IsStopping => _stopped is not null;

    /// <summary>What the file system is made of.</summary>
    public FileSystemRecord Record { get; private set; }

    /// <summary>Clients connected, counted at each target.</summary>
    public int ExportCount => _host.Rpc.Exports(_mdt).Count + _osts.Sum(ost => _host.Rpc.Exports(ost.Target).Count);

    /// <summary>Locks at all targets, granted or waiting.</summary>
    public int LockCount => _mdt.Locks.LockCount + _osts.Sum(ost => ost.Target.Locks.LockCount);

    public int OpenFileCount => _mdt.OpenFileCount;

    public FileSystemStatus Status => new(
        Record.Name,
        Record.CapacityGib,
        [new TargetStatus(NameOf(_mdt), _host.Rpc.Exports(_mdt).Count, null, null, null), .. _osts.Select(StatusOf)]);

    /// <summary>Opens the stores, making them where they do not exist, and serves the targets.</summary>
    /// <param name="isNew">Without it the metadata has to be there: an empty store would give out the numbers of its objects again.</param>
    /// <exception cref="NodeConfigurationException">A store is damaged, missing, in use, or of a newer format.</exception>
    public static async Task<FileSystemTargets> StartAsync(TargetHost host, FileSystemRecord record, bool isNew)
    {
        var targets = new FileSystemTargets(host, record, OpenMetadata(host, record, isNew));
        try
        {
            // OSTs first: the MDT, once it is served, places files on them.
            for (var index = 0; index < record.OstCount; index++)
            {
                targets.StartOst(index);
                targets._mdt.AddObjectTarget(targets._osts[index].Target);
            }

            targets._usedOsts = record.OstCount;
            targets._mdt.Start();
            host.Rpc.AddTarget(targets._mdt);
            return targets;
        }
        catch
        {
            await targets.StopServingAsync(CancellationToken.None);
            await targets.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Applies the settings of <paramref name="record"/>, and serves the OSTs that it has beyond those served already. Files get objects there after
    /// <see cref="UseNewOsts"/>.
    /// </summary>
    public void Change(FileSystemRecord record)
    {
        _mdt.Identity = IdentityOf(record);
        Record = record;
        foreach (var ost in _osts)
        {
            ost.Store.CapacityBytes = CapacityOfOst(record);
        }

        for (var index = _osts.Length; index < record.OstCount; index++)
        {
            StartOst(index);
        }
    }

    /// <summary>
    /// Lets new files have objects on the OSTs that were added, once every client has connected to them, which it does as soon as it knows them: in a
    /// layout a client could make nothing of one it does not know. Those that have not come after a while are not waited for.
    /// </summary>
    public void UseNewOsts() => _using = UseNewOstsAsync(_using);

    private async Task UseNewOstsAsync(Task before)
    {
        await before;
        foreach (var (ost, _) in _osts.AsSpan(_usedOsts).ToArray())
        {
            await WaitForClientsAsync(ost);
            if (_ending.IsCancellationRequested)
            {
                return;
            }

            _mdt.AddObjectTarget(ost);
            _usedOsts++;
        }
    }

    private async Task WaitForClientsAsync(OstTarget ost)
    {
        var awaited = ClientsOf(_mdt);
        var started = _host.Time.GetTimestamp();
        while (true)
        {
            // Whoever has left is not waited for, and whoever has come since has read of the OST when it mounted.
            awaited.IntersectWith(ClientsOf(_mdt));
            awaited.ExceptWith(ClientsOf(ost));
            if (awaited.Count == 0 || _host.Time.GetElapsedTime(started) > ClientPatience)
            {
                return;
            }

            await Task.Delay(PollInterval, _host.Time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private HashSet<string> ClientsOf(IRpcTarget target) => [.. _host.Rpc.Exports(target).Select(export => export.ClientUuid)];

    /// <summary>Divides what may be open anew, after OSTs of the node came or went.</summary>
    public void LimitOpenObjects(int each)
    {
        foreach (var ost in _osts)
        {
            ost.Store.MaxOpenObjects = each;
        }
    }

    /// <summary>
    /// Evicts the clients and stops serving; completes when no request is executed any more. The stores stay open until it is disposed. May be
    /// called again after it was given up.
    /// </summary>
    public async Task StopServingAsync(CancellationToken cancellationToken)
    {
        // The MDT first: it sends nobody to an OST that is gone.
        _stopped ??= Task.WhenAll([_host.Rpc.RemoveTarget(_mdt), .. _osts.Select(ost => _host.Rpc.RemoveTarget(ost.Target))]);
        await _stopped.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _ending.CancelAsync();
        await _using;
        _ending.Dispose();
        await _mdt.StopAsync();
        _mdt.Dispose();
        foreach (var ost in _osts)
        {
            await ost.Target.DisposeAsync();
        }

        _files.Dispose();
        _store.Dispose();
    }

    private static IdentityPolicy IdentityOf(FileSystemRecord record) => record.RootSquash?.ToPolicy() ?? IdentityPolicy.Default;

    private static long CapacityOfOst(FileSystemRecord record) => (record.CapacityGib << 30) / record.OstCount;

    private TargetStatus StatusOf((OstTarget Target, ObjectStore Store) ost)
    {
        var space = ost.Store.Space();
        return new TargetStatus(NameOf(ost.Target), _host.Rpc.Exports(ost.Target).Count, space.Capacity, space.Used, space.Free);
    }

    /// <summary>A target's UUID is its name with a suffix (04 section 1.2).</summary>
    private static string NameOf(IRpcTarget target) => target.Uuid.Replace("_UUID", "", StringComparison.Ordinal);

    private static MetadataStore OpenMetadata(TargetHost host, FileSystemRecord record, bool isNew)
    {
        var folder = host.Data.TargetFolder(record.Name, "mdt", 0);
        Directory.CreateDirectory(folder);
        try
        {
            return MetadataStore.Open(
                Path.Combine(folder, "mdt.db"),
                new MetadataStoreOptions
                {
                    FileSystemName = record.Name,
                    Generation = record.Generation,
                    RunWaiters = LNetNode.Together,
                    MustExist = !isNew,
                    Reserve = host.Reserve,
                },
                host.Time,
                host.Logging.CreateLogger<MetadataStore>());
        }
        catch (MetadataStoreException e)
        {
            throw new NodeConfigurationException(e.Message, e);
        }
    }

    private void StartOst(int index)
    {
        var store = OpenObjects(index);
        var ost = new OstTarget(
            new OstOptions
            {
                FileSystem = Record.Name,
                Index = index,
                Generation = Record.Generation,
                Allocations = new Allocations(_store, index),
            },
            store,
            _host.Rpc,
            _host.Time,
            _host.Logging.CreateLogger<OstTarget>());
        _osts = [.. _osts, (ost, store)];
        _host.Rpc.AddTarget(ost);
    }

    private ObjectStore OpenObjects(int index)
    {
        var folder = _host.Data.TargetFolder(Record.Name, "ost", index);
        try
        {
            Directory.CreateDirectory(folder);
            var reserve = _host.Reserve;
            var options = new ObjectStoreOptions
            {
                CapacityBytes = CapacityOfOst(Record),
                MaxOpenObjects = _host.OpenObjects,
                Withheld = reserve.Covers(folder) ? () => reserve.MissingBytes : null,
            };
            return ObjectStore.Open(folder, options, _host.Time, _host.Logging.CreateLogger<ObjectStore>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new NodeConfigurationException($"object store {folder}: {e.Message}", e);
        }
    }

    /// <summary>Lets an OST refuse objects that its MDT never named.</summary>
    private sealed class Allocations(MetadataStore store, int ostIndex) : IObjectAllocations
    {
        public bool WasAllocated(in LuFid objectFid) => store.WasObjectAllocated(ostIndex, objectFid);
    }
}
