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
    private readonly DataFolder _data;
    private readonly RpcServer _rpc;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logging;
    private readonly SpaceReserve _reserve;
    private readonly MetadataStore _store;
    private readonly MdtFileSystem _files;
    private readonly MdtTarget _mdt;
    private readonly List<OstTarget> _osts = [];

    private FileSystemTargets(
        DataFolder data, FileSystemRecord record, RpcServer rpc, SpaceReserve reserve, TimeProvider time, ILoggerFactory logging,
        MetadataStore store)
    {
        _data = data;
        _rpc = rpc;
        _reserve = reserve;
        _time = time;
        _logging = logging;
        _store = store;
        Record = record;
        _files = new MdtFileSystem(store, new MdtFileSystemOptions(), time);
        _mdt = new MdtTarget(
            new MdtTargetOptions { FileSystemName = record.Name },
            _files,
            rpc,
            new LdlmOptions(),
            time,
            logging.CreateLogger<MdtTarget>());
    }

    /// <summary>What the file system is made of.</summary>
    public FileSystemRecord Record { get; private set; }

    /// <summary>Clients connected, counted at each target.</summary>
    public int ExportCount => _rpc.Exports(_mdt).Count + _osts.Sum(ost => _rpc.Exports(ost).Count);

    /// <summary>Locks at all targets, granted or waiting.</summary>
    public int LockCount => _mdt.Locks.LockCount + _osts.Sum(ost => ost.Locks.LockCount);

    public int OpenFileCount => _mdt.OpenFileCount;

    /// <summary>Opens the stores, making them where they do not exist, and serves the targets.</summary>
    /// <param name="isNew">Without it the metadata has to be there: an empty store would give out the numbers of its objects again.</param>
    /// <exception cref="NodeConfigurationException">A store is damaged, missing, in use, or of a newer format.</exception>
    public static async Task<FileSystemTargets> StartAsync(
        DataFolder data, FileSystemRecord record, bool isNew, RpcServer rpc, SpaceReserve reserve, TimeProvider time,
        ILoggerFactory logging)
    {
        var targets = new FileSystemTargets(
            data, record, rpc, reserve, time, logging, OpenMetadata(data, record, isNew, reserve, time, logging));
        try
        {
            // OSTs first: the MDT, once it is served, places files on them.
            for (var index = 0; index < record.OstCount; index++)
            {
                targets.StartOst(index);
            }

            targets._mdt.Start();
            rpc.AddTarget(targets._mdt);
            return targets;
        }
        catch
        {
            await targets.DisposeAsync();
            throw;
        }
    }

    /// <summary>Serves the OSTs that <paramref name="record"/> has beyond those served already.</summary>
    public void Grow(FileSystemRecord record)
    {
        Record = record;
        for (var index = _osts.Count; index < record.OstCount; index++)
        {
            StartOst(index);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _mdt.StopAsync();
        _mdt.Dispose();
        foreach (var ost in _osts)
        {
            await ost.DisposeAsync();
        }

        _files.Dispose();
        _store.Dispose();
    }

    private static MetadataStore OpenMetadata(
        DataFolder data, FileSystemRecord record, bool isNew, SpaceReserve reserve, TimeProvider time, ILoggerFactory logging)
    {
        var folder = data.TargetFolder(record.Name, "mdt", 0);
        Directory.CreateDirectory(folder);
        try
        {
            return MetadataStore.Open(
                Path.Combine(folder, "mdt.db"),
                new MetadataStoreOptions
                {
                    FileSystemName = record.Name,
                    RunWaiters = LNetNode.Together,
                    MustExist = !isNew,
                    Reserve = reserve,
                },
                time,
                logging.CreateLogger<MetadataStore>());
        }
        catch (MetadataStoreException e)
        {
            throw new NodeConfigurationException(e.Message, e);
        }
    }

    private void StartOst(int index)
    {
        var ost = new OstTarget(
            new OstOptions { FileSystem = Record.Name, Index = index, Allocations = new Allocations(_store, index) }, OpenObjects(index), _rpc, _time, _logging.CreateLogger<OstTarget>());
        _osts.Add(ost);
        _rpc.AddTarget(ost);
        _mdt.AddObjectTarget(ost);
    }

    private ObjectStore OpenObjects(int index)
    {
        var folder = _data.TargetFolder(Record.Name, "ost", index);
        var capacity = (Record.CapacityGib << 30) / Record.OstCount;
        try
        {
            Directory.CreateDirectory(folder);
            var options = new ObjectStoreOptions
            {
                CapacityBytes = capacity,
                Withheld = _reserve.Covers(folder) ? () => _reserve.MissingBytes : null,
            };
            return ObjectStore.Open(folder, options, _time, _logging.CreateLogger<ObjectStore>());
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
