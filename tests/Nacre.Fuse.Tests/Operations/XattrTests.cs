using System.Text;
using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Operations;

public class XattrTests
{
    [FuseFact]
    public async Task Values_are_set_read_listed_and_removed()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("touch f");
        string path = mount.Path("f");
        byte[] large = new byte[65536];
        new Random(3).NextBytes(large);
        byte[] room = new byte[65536];
        Posix.Check(Posix.setxattr(path, "user.large", large, large.Length, 0));
        Posix.Check(Posix.setxattr(path, "user.small", [7], 1, 1));
        Assert.Equal(large.Length, Posix.getxattr(path, "user.large", room, 0));
        Assert.Equal(large.Length, Posix.getxattr(path, "user.large", room, room.Length));
        Assert.Equal(large, room);
        Assert.Equal(-1, Posix.getxattr(path, "user.large", room, 100));
        Assert.Equal(Errno.ERANGE, Posix.Errno);
        Assert.Equal("user.large\0user.small\0", Encoding.ASCII.GetString(room, 0, (int)Posix.Check(Posix.listxattr(path, room, room.Length))));
        Assert.Equal(-1, Posix.setxattr(path, "user.small", [8], 1, 1));
        Assert.Equal(Errno.EEXIST, Posix.Errno);
        Posix.Check(Posix.removexattr(path, "user.small"));
        Assert.Equal(-1, Posix.getxattr(path, "user.small", room, room.Length));
        Assert.Equal(Errno.ENODATA, Posix.Errno);
    }

    [FuseFact]
    public async Task Acls_are_checked_by_the_kernel_and_inherited_by_the_file_system()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("chmod 755 . && mkdir d && printf x > f && chmod 600 f");
        // user::rw-, user:65534:r--, group::---, mask::r--, other::---
        Assert.Equal(0, Posix.setxattr(mount.Path("f"), "system.posix_acl_access", Acl((1, 6, -1), (2, 4, 65534), (4, 0, -1), (0x10, 4, -1), (0x20, 0, -1)), 44, 0));
        Assert.Equal("640", await mount.ShellAsync("stat -c %a f"));
        Assert.Equal("x", await mount.ShellAsync("setpriv --reuid 65534 --regid 65534 --clear-groups cat f"));
        Assert.Contains("denied", (await mount.TryShellAsync("setpriv --reuid 65533 --regid 65533 --clear-groups cat f")).Output, StringComparison.Ordinal);

        // A default ACL takes the place of the umask.
        Assert.Equal(0, Posix.setxattr(mount.Path("d"), "system.posix_acl_default", Acl((1, 7, -1), (4, 7, -1), (0x20, 0, -1)), 28, 0));
        Assert.Equal("660 770", await mount.ShellAsync("umask 077 && touch d/f && mkdir d/d && echo $(stat -c %a d/f d/d)"));
    }

    private static byte[] Acl(params (short Tag, short Permissions, int Id)[] entries)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(2);
        foreach (var (tag, permissions, id) in entries)
        {
            writer.Write(tag);
            writer.Write(permissions);
            writer.Write(id);
        }

        return stream.ToArray();
    }
}
