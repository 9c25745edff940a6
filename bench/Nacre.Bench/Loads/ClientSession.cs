using System.Net;
using Nacre.Bench.Client;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>Where the server is and what the loads use of it.</summary>
internal sealed record ServerAddress(Nid Nid, IPEndPoint At, string FileSystem);

/// <summary>A FID of a file and the number its name is made of (<see cref="FileName"/>).</summary>
internal readonly record struct BenchFile(LuFid Fid, uint Number);

/// <summary>
/// What one client of the generator has mounted: a node, imports to the MGS, the MDT and one OST, a directory of its own; each made when
/// first needed. Further
/// MDT imports stand for further mounts on the node; they are made where more modifying requests are to be in flight than the
/// server allows one mount.
/// </summary>
internal sealed class ClientSession : IDisposable
{
    private readonly List<BenchImport> _mdt = [];
    private readonly List<FidSource> _fids = [];
    private readonly List<BenchObject> _objects = [];
    private readonly Lazy<BenchImport> _mgs;
    private readonly Lazy<BenchImport> _ost;
    private readonly Lazy<LuFid> _directory;
    private readonly ServerAddress _server;
    private readonly int _ostIndex;
    private BenchFile[] _files = [];
    private uint _names;

    /// <param name="index">Of the client; its NID and its OST follow from it.</param>
    public ClientSession(ServerAddress server, int index, int osts)
    {
        _server = server;
        _ostIndex = index % osts;
        Node = new BenchNode(server.At, new PeerId(server.Nid), LocalNid(server, index));
        _mgs = new(() => BenchImport.ToMgs(Node));
        _ost = new(ConnectOst);
        _directory = new(() => MetadataSetup.MakeDirectory(Mdt(0), NextFid(0), $"bench-{index}-{Guid.NewGuid():n}"));
    }

    public BenchNode Node { get; }

    public BenchImport Mgs => _mgs.Value;

    public BenchImport Ost => _ost.Value;

    public LuFid Directory => _directory.Value;

    /// <summary>Grant of the OST still unused, bytes (06 section 5).</summary>
    public ulong Grant { get; set; }

    private IEnumerable<BenchImport> Imports =>
        [.. _mdt, .. _mgs.IsValueCreated ? [_mgs.Value] : (BenchImport[])[], .. _ost.IsValueCreated ? [_ost.Value] : (BenchImport[])[]];

    public BenchImport Mdt(int index)
    {
        while (_mdt.Count <= index)
        {
            var import = BenchImport.ToMdt(Node, _server.FileSystem);
            _mdt.Add(import);
            _fids.Add(new FidSource(import.AllocateSequence()));
        }

        return _mdt[index];
    }

    /// <summary>The import of a slot that modifies, and the reply slot it uses there.</summary>
    public (int Import, ushort Tag) ModifierOf(int slot)
    {
        var each = Mdt(0).MaxModifying;
        _ = Mdt(slot / each);
        return (slot / each, (ushort)(slot % each + 1));
    }

    public LuFid NextFid(int import) => _fids[import].Next();

    /// <summary>A name no file of the directory has had.</summary>
    public uint NextName() => ++_names;

    /// <summary>The same files at each call; they are made by the first.</summary>
    public BenchFile[] Files(int count)
    {
        if (_files.Length >= count) return _files;
        const int Slots = 64;
        var create = new CreateLoad(this, Slots) { Keep = count, LimitPerSlot = (count + Slots - 1) / Slots };
        create.Run(TimeSpan.FromMinutes(5));
        return _files = [.. create.Kept];
    }

    /// <summary>Empty objects on the OST, each of a file of its own; made once.</summary>
    public IReadOnlyList<BenchObject> Objects(int count)
    {
        while (_objects.Count < count)
        {
            var objectFid = MetadataSetup.MakeObject(Mdt(0), Directory, NextFid(0), NextName(), _ostIndex);
            _objects.Add(new BenchObject(objectFid, _objects.Count));
        }

        return _objects;
    }

    /// <summary>Shows each target that the client lives: an export that is silent for minutes is evicted (02 section 9.7).</summary>
    public void KeepAlive()
    {
        foreach (var import in Imports) import.Ping();
    }

    public void Dispose()
    {
        try
        {
            foreach (var import in Imports) import.Disconnect();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or System.Net.Sockets.SocketException)
        {
            // After a failed load; the failure is the one to be shown.
        }

        Node.Dispose();
    }

    private BenchImport ConnectOst()
    {
        var ost = BenchImport.ToOst(Node, _server.FileSystem, _ostIndex);
        Grant = ost.Granted.Has(ConnectFlags.Grant) ? ost.Granted.Grant : 0;
        return ost;
    }

    /// <summary>
    /// Against a server on loopback each client has a loopback address of its own. Elsewhere the address that leads to the
    /// server, and clients share it as several LNet networks would.
    /// </summary>
    private static Nid LocalNid(ServerAddress server, int index)
    {
        if (IPAddress.IsLoopback(server.At.Address)) return Nid.FromTcp(new IPAddress([127, 8, (byte)(index >> 8), (byte)(index + 1)]));
        using var probe = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        probe.Connect(server.At);
        if (index > 0) throw new NotSupportedException("several clients need a server on a loopback address");
        return Nid.FromTcp(((IPEndPoint)probe.LocalEndPoint!).Address);
    }

    private sealed class FidSource(ulong sequence)
    {
        private uint _last;

        public LuFid Next() => new(sequence, ++_last);
    }
}
