using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Twin;

internal sealed partial class TwinVfs
{
    private const uint NoReplace = 1, Exchange = 2;
    private const uint SetGroupId = 0x400;

    public async ValueTask<Outcome<Entry>> LookupAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        await EnterAsync("lookup", directory, ct);
        var found = Lookup((TwinNode)directory, Name(name));
        if (AfterLookup is { } then) await then(Name(name).ToString());
        return found;
    }

    public ValueTask<Outcome<Entry>> LookupParentAsync(Node directory, Credentials who, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(Reference(((TwinNode)directory).Parent!));
        }
    }

    public ValueTask<Outcome<Entry>> MakeNodeAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, Credentials who, CancellationToken ct) =>
        MakeAsync("mknod", directory, name, mode, umask, who, node => node.Device = device, ct);

    public ValueTask<Outcome<Entry>> MakeDirectoryAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, Credentials who, CancellationToken ct) =>
        MakeAsync("mkdir", directory, name, TwinNode.Directory | (mode & 0xFFF), umask, who, null, ct);

    public ValueTask<Outcome<Entry>> MakeSymlinkAsync(
        Node directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Credentials who, CancellationToken ct)
    {
        byte[] copy = target.ToArray();
        return MakeAsync("symlink", directory, name, TwinNode.Symlink | 0x1FF, 0, who, node => node.Target = copy, ct);
    }

    public async ValueTask<Outcome<Entry>> LinkAsync(
        Node node, Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        await EnterAsync("link", directory, ct);
        lock (_gate)
        {
            var (twin, parent) = ((TwinNode)node, (TwinNode)directory);
            if (parent.Child(Name(name)) is not null) return new Failure(Errno.EEXIST);
            parent.Add(Name(name), twin);
            twin.Links++;
            twin.ChangeTime = Now();
            Touch(parent);
            return Reference(twin);
        }
    }

    public async ValueTask<Outcome<Done>> UnlinkAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        await EnterAsync("unlink", directory, ct);
        lock (_gate)
        {
            var parent = (TwinNode)directory;
            if (parent.Child(Name(name)) is not { } child) return new Failure(Errno.ENOENT);
            if (child.IsDirectory) return new Failure(Errno.EISDIR);
            Detach(parent, Name(name), child);
            return default(Done);
        }
    }

    public async ValueTask<Outcome<Done>> RemoveDirectoryAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        await EnterAsync("rmdir", directory, ct);
        lock (_gate)
        {
            var parent = (TwinNode)directory;
            if (parent.Child(Name(name)) is not { } child) return new Failure(Errno.ENOENT);
            if (!child.IsDirectory) return new Failure(Errno.ENOTDIR);
            if (child.Listing.Count > 0) return new Failure(Errno.ENOTEMPTY);
            Detach(parent, Name(name), child);
            return default(Done);
        }
    }

    public async ValueTask<Outcome<Done>> RenameAsync(
        Node fromDirectory, ReadOnlyMemory<byte> fromName, Node toDirectory, ReadOnlyMemory<byte> toName, uint flags,
        Credentials who, CancellationToken ct)
    {
        await EnterAsync("rename", fromDirectory, ct);
        lock (_gate)
        {
            return Rename((TwinNode)fromDirectory, Name(fromName), (TwinNode)toDirectory, Name(toName), flags);
        }
    }

    public ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadLinkAsync(Node node, Credentials who, CancellationToken ct)
    {
        Counts.AddOrUpdate("readlink", 1, (_, count) => count + 1);
        return new((ReadOnlyMemory<byte>)((TwinNode)node).Target);
    }

    private Outcome<Entry> Lookup(TwinNode directory, TwinName name)
    {
        lock (_gate)
        {
            if (directory.Child(name) is { } child) return Reference(child);
            return Caches ? new Entry(null, default, NameMayBeCached: true, AttributesMayBeCached: false) : new Failure(Errno.ENOENT);
        }
    }

    private async ValueTask<Outcome<Entry>> MakeAsync(
        string operation, Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, Credentials who, Action<TwinNode>? then, CancellationToken ct)
    {
        await EnterAsync(operation, directory, ct);
        lock (_gate)
        {
            var parent = (TwinNode)directory;
            if (parent.Child(Name(name)) is not null) return new Failure(Errno.EEXIST);
            var node = MakeChild(parent, Name(name), mode, umask, who);
            then?.Invoke(node);
            return Reference(node);
        }
    }

    private TwinNode MakeChild(TwinNode parent, TwinName name, uint mode, uint umask, Credentials who)
    {
        bool inheritsGroup = (parent.Mode & SetGroupId) != 0;
        if ((mode & TwinNode.TypeMask) != TwinNode.Symlink && !parent.Xattrs.ContainsKey(TwinAcl.Default)) mode &= ~umask;
        var node = Make(mode, who.Uid, inheritsGroup ? parent.Gid : who.Gid);
        if (inheritsGroup && node.IsDirectory) node.Mode |= SetGroupId;
        TwinAcl.Inherit(parent, node);
        node.Parent = node.IsDirectory ? parent : null;
        parent.Add(name, node);
        Touch(parent);
        return node;
    }

    private static void Detach(TwinNode parent, TwinName name, TwinNode child)
    {
        parent.Remove(name);
        child.Links--;
        child.ChangeTime = Now();
        Touch(parent);
    }

    private static Outcome<Done> Rename(TwinNode from, TwinName fromName, TwinNode to, TwinName toName, uint flags)
    {
        if (from.Child(fromName) is not { } moved) return new Failure(Errno.ENOENT);
        var victim = to.Child(toName);
        if ((flags & NoReplace) != 0 && victim is not null) return new Failure(Errno.EEXIST);
        if ((flags & Exchange) != 0 && victim is null) return new Failure(Errno.ENOENT);
        if (victim == moved) return default(Done);
        if ((flags & Exchange) == 0 && victim is not null)
        {
            if (victim.IsDirectory && !moved.IsDirectory) return new Failure(Errno.EISDIR);
            if (!victim.IsDirectory && moved.IsDirectory) return new Failure(Errno.ENOTDIR);
            if (victim.Listing.Count > 0) return new Failure(Errno.ENOTEMPTY);
            Detach(to, toName, victim);
        }

        from.Remove(fromName);
        to.Remove(toName);
        Put(to, toName, moved);
        if ((flags & Exchange) != 0) Put(from, fromName, victim!);
        Touch(from);
        Touch(to);
        return default(Done);
    }

    private static void Put(TwinNode directory, TwinName name, TwinNode node)
    {
        directory.Add(name, node);
        if (node.IsDirectory) node.Parent = directory;
        node.ChangeTime = Now();
    }
}
