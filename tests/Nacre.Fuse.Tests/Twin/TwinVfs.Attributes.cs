using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Twin;

internal sealed partial class TwinVfs
{
    private const uint SetUserId = 0x800, GroupExecute = 0x8;
    private const int XattrCreate = 1, XattrReplace = 2;

    public async ValueTask<Outcome<CurrentAttributes>> GetAttributesAsync(Node node, OpenNode? file, CancellationToken ct)
    {
        await EnterAsync("getattr", node, ct);
        lock (_gate)
        {
            return Current((TwinNode)node);
        }
    }

    public async ValueTask<Outcome<CurrentAttributes>> SetAttributesAsync(
        Node node, OpenNode? file, AttributeChange change, Credentials who, CancellationToken ct)
    {
        await EnterAsync("setattr", node, ct);
        lock (_gate)
        {
            var twin = (TwinNode)node;
            Apply(twin, change);
            return Current(twin);
        }
    }

    public ValueTask<Outcome<FileSystemStatus>> GetStatusAsync(CancellationToken ct) => new(new FileSystemStatus
    {
        BlockSize = 4096,
        Blocks = 1 << 20,
        FreeBlocks = 1 << 19,
        AvailableBlocks = 1 << 18,
        Files = 1000,
        FreeFiles = 500,
        NameLength = 255,
    });

    public async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        await EnterAsync("getxattr", node, ct);
        lock (_gate)
        {
            return ((TwinNode)node).Xattrs.TryGetValue(Name(name), out byte[]? value)
                ? (ReadOnlyMemory<byte>)value.ToArray()
                : new Failure(Errno.ENODATA);
        }
    }

    public ValueTask<Outcome<Done>> SetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, int flags, Credentials who, CancellationToken ct)
    {
        lock (_gate)
        {
            var twin = (TwinNode)node;
            bool exists = twin.Xattrs.ContainsKey(Name(name));
            if (exists && flags == XattrCreate) return new(new Failure(Errno.EEXIST));
            if (!exists && flags == XattrReplace) return new(new Failure(Errno.ENODATA));
            byte[] copy = value.ToArray();
            bool isKept = !Name(name).Equals(TwinAcl.Access) || TwinAcl.ToMode(twin, copy);
            if (isKept) twin.Xattrs[Name(name)] = copy;
            else twin.Xattrs.Remove(Name(name));
            twin.ChangeTime = Now();
            return new(default(Done));
        }
    }

    public ValueTask<Outcome<ReadOnlyMemory<byte>>> ListXattrsAsync(Node node, Credentials who, CancellationToken ct)
    {
        lock (_gate)
        {
            byte[] names = [.. ((TwinNode)node).Xattrs.Keys.SelectMany(name => (byte[])[.. name.Span, 0])];
            return new((ReadOnlyMemory<byte>)names);
        }
    }

    public ValueTask<Outcome<Done>> RemoveXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        lock (_gate)
        {
            return ((TwinNode)node).Xattrs.Remove(Name(name)) ? new(default(Done)) : new(new Failure(Errno.ENODATA));
        }
    }

    private static void Apply(TwinNode node, AttributeChange change)
    {
        var (fields, now) = (change.Fields, Now());
        bool Has(AttributeFields field) => (fields & field) != 0;
        if (Has(AttributeFields.Mode)) node.Mode = node.FileType | change.Mode;
        if (Has(AttributeFields.Mode)) TwinAcl.FromMode(node);
        if (Has(AttributeFields.Uid)) node.Uid = change.Uid;
        if (Has(AttributeFields.Gid)) node.Gid = change.Gid;
        if (Has(AttributeFields.KillPrivileges)) KillPrivileges(node);
        if (Has(AttributeFields.Size)) SetSize(node, change.Size);
        if (Has(AttributeFields.AccessTime)) node.AccessTime = change.AccessTime;
        if (Has(AttributeFields.ModifyTime)) node.ModifyTime = change.ModifyTime;
        if (Has(AttributeFields.AccessTimeNow)) node.AccessTime = now;
        if (Has(AttributeFields.ModifyTimeNow)) node.ModifyTime = now;
        node.ChangeTime = Has(AttributeFields.ChangeTime) ? change.ChangeTime : now;
    }

    private static void SetSize(TwinNode node, long size)
    {
        node.Bytes.SetLength(size);
        Touch(node);
    }

    private static void KillPrivileges(TwinNode node)
    {
        node.Mode &= ~SetUserId;
        if ((node.Mode & GroupExecute) != 0) node.Mode &= ~SetGroupId;
    }
}
