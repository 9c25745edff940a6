using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;

namespace Nacre.Server.Tests.Mdt;

/// <summary>A store in a temporary directory with the operations on it, and short forms of them.</summary>
internal sealed class MdtFixture : IDisposable
{
    private ulong _sequence;
    private uint _objectId;

    public MdtFixture(MetadataStoreOptions? options = null, MdtFileSystemOptions? limits = null, string? folder = null)
    {
        OwnsFolder = folder == null;
        Folder = folder ?? Directory.CreateTempSubdirectory("nacre-mdt-").FullName;
        Options = options ?? new MetadataStoreOptions { FileSystemName = "test" };
        Limits = limits ?? new MdtFileSystemOptions();
        Open();
    }

    public string Folder { get; }
    public bool OwnsFolder { get; }
    public string DatabasePath => Path.Combine(Folder, "mdt.db");
    public MetadataStoreOptions Options { get; private set; }
    public MdtFileSystemOptions Limits { get; }
    public MetadataStore Store { get; private set; } = null!;
    public MdtFileSystem Fs { get; private set; } = null!;
    public long Now { get; set; } = 1_000_000;

    public static MdtCredentials User(uint uid, uint gid = 100, uint group = MdtCredentials.NoGroup) =>
        new(uid, gid, Capabilities.None, group);

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public void Reopen(MetadataStoreOptions? options = null)
    {
        Store.Dispose();
        Options = options ?? Options;
        Open();
    }

    public LuFid NextFid()
    {
        lock (Store.Gate)
        {
            if (_sequence == 0)
            {
                _sequence = Fs.AllocateSequence();
            }
        }
        return new LuFid(_sequence, ++_objectId);
    }

    public MdtResult Make(string path, uint mode, MdtCredentials? who = null, string? target = null, byte[]? layout = null,
        uint umask = 0, uint rdev = 0)
    {
        var (parent, name) = Split(path);
        var fid = NextFid();
        lock (Store.Gate)
        {
            return Fs.Create(who ?? MdtCredentials.Root, new CreateArgs
            {
                Parent = parent,
                Name = name,
                Fid = fid,
                Mode = mode,
                Time = ++Now,
                Umask = umask,
                RDev = rdev,
                Target = target == null ? default : Bytes(target),
                Layout = layout,
            });
        }
    }

    public LuFid MakeDirectory(string path, uint permissions = 0x1ED, MdtCredentials? who = null) =>
        Make(path, ModeBits.Directory | permissions, who).Object.Fid;

    public LuFid MakeFile(string path, uint permissions = 0x1A4, MdtCredentials? who = null, byte[]? layout = null) =>
        Make(path, ModeBits.Regular | permissions, who, layout: layout).Object.Fid;

    public MdtLookup Lookup(string path, MdtCredentials? who = null)
    {
        var (parent, name) = Split(path);
        lock (Store.Gate)
        {
            return Fs.Lookup(who ?? MdtCredentials.Root, parent, name);
        }
    }

    public LuFid FidOf(string path)
    {
        var fid = MdtFileSystem.Root;
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            lock (Store.Gate)
            {
                var found = Fs.Lookup(MdtCredentials.Root, fid, Bytes(name));
                fid = found.Found ? found.Object.Fid : throw new FsException(Errno.ENOENT);
            }
        }
        return fid;
    }

    public bool Exists(string path) => Lookup(path).Found;

    public MdtObject GetAttr(string path) => GetAttr(FidOf(path));

    public MdtObject GetAttr(LuFid fid)
    {
        lock (Store.Gate)
        {
            return Fs.GetAttr(fid);
        }
    }

    public MdtResult Unlink(string path, MdtCredentials? who = null, UnlinkKind kind = UnlinkKind.Any)
    {
        var (parent, name) = Split(path);
        lock (Store.Gate)
        {
            return Fs.Unlink(who ?? MdtCredentials.Root, new UnlinkArgs { Parent = parent, Name = name, Kind = kind, Time = ++Now });
        }
    }

    public MdtResult Link(string source, string path, MdtCredentials? who = null)
    {
        var (parent, name) = Split(path);
        var fid = FidOf(source);
        lock (Store.Gate)
        {
            return Fs.Link(who ?? MdtCredentials.Root, new LinkArgs { Source = fid, Parent = parent, Name = name, Time = ++Now });
        }
    }

    public MdtResult Rename(string from, string to, MdtCredentials? who = null, RenameFlags flags = RenameFlags.None)
    {
        var (source, oldName) = Split(from);
        var (target, newName) = Split(to);
        lock (Store.Gate)
        {
            return Fs.Rename(who ?? MdtCredentials.Root, new RenameArgs
            {
                SourceParent = source,
                SourceName = oldName,
                TargetParent = target,
                TargetName = newName,
                Time = ++Now,
                Flags = flags,
            });
        }
    }

    public MdtResult SetAttr(SetAttrArgs args, MdtCredentials? who = null)
    {
        lock (Store.Gate)
        {
            return Fs.SetAttr(who ?? MdtCredentials.Root, args);
        }
    }

    public MdtResult Chmod(string path, uint mode, MdtCredentials? who = null) => SetAttr(
        new SetAttrArgs { Fid = FidOf(path), Valid = SetAttrValid.Mode | SetAttrValid.CTimeSet, Mode = mode, CTime = ++Now }, who);

    public MdtResult Chown(string path, uint uid, uint gid, MdtCredentials? who = null) => SetAttr(
        new SetAttrArgs { Fid = FidOf(path), Valid = SetAttrValid.Uid | SetAttrValid.Gid, Uid = uid, Gid = gid }, who);

    public MdtResult SetFlags(string path, InodeFlags flags, MdtCredentials? who = null) => SetAttr(
        new SetAttrArgs { Fid = FidOf(path), Valid = SetAttrValid.AttrFlags, Flags = flags }, who);

    public MdtResult SetXattr(string path, string name, byte[] value, XattrFlags flags = 0, MdtCredentials? who = null)
    {
        var fid = FidOf(path);
        lock (Store.Gate)
        {
            return Fs.SetXattr(who ?? MdtCredentials.Root, fid, Bytes(name), value, flags, ++Now);
        }
    }

    public byte[]? GetXattr(string path, string name)
    {
        var fid = FidOf(path);
        lock (Store.Gate)
        {
            var found = Fs.GetXattr(fid, Bytes(name));
            return found.Found ? found.Value.ToArray() : null;
        }
    }

    public MdtResult Open(string path, OpenMode mode, MdtCredentials? who = null)
    {
        var fid = FidOf(path);
        lock (Store.Gate)
        {
            return Fs.Open(who ?? MdtCredentials.Root, fid, mode, created: false);
        }
    }

    public MdtResult Close(LuFid fid, OpenMode mode, SetAttrArgs? times = null)
    {
        lock (Store.Gate)
        {
            return Fs.Close(fid, mode, times);
        }
    }

    public string PathOf(LuFid fid, uint link = 0)
    {
        lock (Store.Gate)
        {
            return Encoding.UTF8.GetString(Fs.PathOf(fid, link, MdtFileSystem.Root, 4096).Path);
        }
    }

    /// <summary>Names with cookies, in order, "." and ".." included; at most <paramref name="batch"/> a call.</summary>
    public List<(string Name, ulong Cookie, LuFid Fid, uint Type)> List(LuFid directory, int batch = int.MaxValue)
    {
        var sink = new ListSink { Room = batch };
        ulong? next = 0;
        while (next is { } from)
        {
            sink.Taken = 0;
            lock (Store.Gate)
            {
                next = Fs.ReadDir(directory, from, ref sink).Next;
            }
        }
        return sink.Entries;
    }

    public List<string> Names(string path) =>
        [.. List(FidOf(path)).Select(e => e.Name).Where(n => n is not ("." or "..")).Order(StringComparer.Ordinal)];

    public static int ErrnoOf(Action operation)
    {
        try
        {
            operation();
            return 0;
        }
        catch (FsException e)
        {
            return e.Errno;
        }
    }

    public async Task CommitAsync()
    {
        ulong transaction;
        lock (Store.Gate)
        {
            transaction = Store.PendingTransaction;
        }
        await Store.WhenCommitted(transaction);
    }

    public (LuFid Parent, byte[] Name) Split(string path)
    {
        int slash = path.LastIndexOf('/');
        return (slash < 0 ? MdtFileSystem.Root : FidOf(path[..slash]), Bytes(path[(slash + 1)..]));
    }

    public void Dispose()
    {
        Store.Dispose();
        if (OwnsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private void Open()
    {
        Store = MetadataStore.Open(DatabasePath, Options, TimeProvider.System, NullLogger.Instance);
        Fs = new MdtFileSystem(Store, Limits, TimeProvider.System);
        _sequence = 0;
        _objectId = 0;
    }

    internal sealed class ListSink : IDirEntrySink
    {
        public readonly List<(string Name, ulong Cookie, LuFid Fid, uint Type)> Entries = [];
        public int Room;
        public int Taken;

        public bool Add(in DirEntry entry)
        {
            if (Taken == Room)
            {
                return false;
            }
            Taken++;
            Entries.Add((Encoding.UTF8.GetString(entry.Name), entry.Cookie, entry.Fid, entry.Type));
            return true;
        }
    }
}
