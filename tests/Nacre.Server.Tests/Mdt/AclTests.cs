using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

public sealed class AclTests : IDisposable
{
    private const string Access = "system.posix_acl_access", Default = "system.posix_acl_default";
    private const uint None = uint.MaxValue;

    private readonly MdtFixture _mdt = new();

    public void Dispose() => _mdt.Dispose();

    /// <summary>Owner rwx, user 500 r-x, group 100 rw-, group 600 -wx, group 601 r--, mask as given, other --x.</summary>
    [Theory]
    [InlineData(7, 500, 9, 4, true)]
    [InlineData(7, 500, 9, 5, true)]
    [InlineData(7, 500, 9, 2, false)]
    [InlineData(7, 500, 600, 2, false)] // the user's own entry decides, not a group's
    [InlineData(3, 500, 9, 4, false)]
    [InlineData(3, 500, 9, 1, true)]
    [InlineData(7, 501, 100, 6, true)]
    [InlineData(7, 501, 100, 1, false)] // in a group, so "other" does not count
    [InlineData(7, 501, 600, 3, true)]
    [InlineData(7, 501, 600, 4, false)]
    [InlineData(5, 501, 600, 2, false)]
    [InlineData(7, 501, 601, 4, true)]
    [InlineData(7, 501, 9, 1, true)]
    [InlineData(0, 501, 9, 1, true)]   // no group bits at all: the mode alone
    [InlineData(7, 501, 9, 4, false)]
    [InlineData(0, 500, 9, 4, false)]
    [InlineData(0, 7, 9, 7, true)] // the owner
    public void The_entry_that_applies_decides(int mask, int uid, int gid, int wanted, bool allowed)
    {
        var fid = _mdt.MakeFile("f");
        _mdt.Chown("f", 7, 100);
        _mdt.SetXattr("f", Access, Acl((1, 7, None), (2, 5, 500), (4, 6, None), (8, 3, 600), (8, 4, 601), (0x10, mask, None), (0x20, 1, None)));
        Assert.Equal((uint)(0x81C1 | mask << 3), _mdt.GetAttr(fid).Attributes.Mode);
        var who = MdtFixture.User((uint)uid, (uint)gid);
        int errno = MdtFixture.ErrnoOf(() =>
        {
            lock (_mdt.Store.Gate)
            {
                _mdt.Fs.CheckAccess(who, fid, wanted);
            }
        });
        Assert.Equal(allowed ? 0 : Errno.EACCES, errno);
    }

    [Fact]
    public void An_acl_that_a_mode_can_say_becomes_the_mode()
    {
        var fid = _mdt.MakeFile("f");
        var result = _mdt.SetXattr("f", Access, Acl((1, 6, None), (4, 4, None), (0x20, 0, None)));
        Assert.Equal(0x81A0u, result.Object.Attributes.Mode);
        Assert.True(_mdt.GetAttr(fid).AccessAcl.IsEmpty);
        Assert.Null(_mdt.GetXattr("f", Access));
    }

    [Fact]
    public void Chmod_changes_the_acl_and_a_removed_acl_leaves_the_mode()
    {
        _mdt.MakeFile("f");
        _mdt.SetXattr("f", Access, Acl((1, 7, None), (2, 7, 500), (4, 7, None), (0x10, 7, None), (0x20, 7, None)));
        _mdt.Chmod("f", 0x1A0); // 0640
        Assert.Equal(Acl((1, 6, None), (2, 7, 500), (4, 7, None), (0x10, 4, None), (0x20, 0, None)), _mdt.GetXattr("f", Access));
        _mdt.SetXattr("f", Access, []);
        Assert.Null(_mdt.GetXattr("f", Access));
        Assert.Equal(0x81A0u, _mdt.GetAttr("f").Attributes.Mode);
    }

    [Fact]
    public void A_default_acl_is_inherited_instead_of_the_umask()
    {
        _mdt.MakeDirectory("d");
        byte[] acl = Acl((1, 7, None), (2, 6, 500), (4, 5, None), (0x10, 7, None), (0x20, 5, None));
        _mdt.SetXattr("d", Default, acl);
        var file = _mdt.Make("d/f", ModeBits.Regular | 0x1B4, umask: 0x1FF).Object; // 0664, a umask that would leave nothing
        Assert.Equal(0x81B4u, file.Attributes.Mode);
        Assert.Equal(Acl((1, 6, None), (2, 6, 500), (4, 5, None), (0x10, 6, None), (0x20, 4, None)), file.AccessAcl.ToArray());
        Assert.Null(_mdt.GetXattr("d/f", Default));
        _mdt.Make("d/s", ModeBits.Directory | 0x1FF, umask: 0x12);
        Assert.Equal(acl, _mdt.GetXattr("d/s", Default));
        Assert.Equal(0x41FDu, _mdt.GetAttr("d/s").Attributes.Mode);
        _mdt.Make("d/l", ModeBits.Symlink, target: "x");
        Assert.Null(_mdt.GetXattr("d/l", Access));
        _mdt.Reopen();
        Assert.Equal(acl, _mdt.GetXattr("d/s", Default));
    }

    [Fact]
    public void A_plain_default_acl_leaves_only_a_mode()
    {
        _mdt.MakeDirectory("d");
        _mdt.SetXattr("d", Default, Acl((1, 7, None), (4, 5, None), (0x20, 0, None)));
        var file = _mdt.Make("d/f", ModeBits.Regular | 0x1B6, umask: 0x12).Object;
        Assert.Equal(0x81A0u, file.Attributes.Mode);
        Assert.True(file.AccessAcl.IsEmpty);
    }

    public static TheoryData<byte[]> BadAcls => new()
    {
        new byte[] { 2, 0, 0, 0, 1 },
        Acl((1, 7, None), (4, 7, None)),
        Acl((4, 7, None), (1, 7, None), (0x20, 7, None)),
        Acl((1, 7, None), (2, 7, 5), (4, 7, None), (0x20, 7, None)), // a named entry without mask
        Acl((1, 8, None), (4, 7, None), (0x20, 7, None)),
        Acl((1, 7, None), (1, 7, None), (4, 7, None), (0x20, 7, None)),
        Acl((1, 7, None), (2, 7, None), (4, 7, None), (0x10, 7, None), (0x20, 7, None)),
        Acl((1, 7, None), (4, 7, None), (0x20, 7, None), (0x40, 7, None)),
        WithVersion(1, Acl((1, 7, None), (4, 7, None), (0x20, 7, None))),
    };

    [Theory]
    [MemberData(nameof(BadAcls))]
    public void A_malformed_acl_is_refused(byte[] acl)
    {
        _mdt.MakeDirectory("d");
        Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.SetXattr("d", Access, acl)));
        Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.SetXattr("d", Default, acl)));
    }

    [Fact]
    public void Only_directories_have_default_acls_and_only_owners_change_them()
    {
        byte[] acl = Acl((1, 7, None), (4, 7, None), (0x20, 7, None));
        _mdt.MakeFile("f");
        _mdt.Make("l", ModeBits.Symlink, target: "f");
        Assert.Equal(Errno.EACCES, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", Default, acl)));
        Assert.Equal(Errno.EOPNOTSUPP, MdtFixture.ErrnoOf(() => _mdt.SetXattr("l", Access, acl)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", Access, acl, 0, MdtFixture.User(500))));
    }

    private static byte[] WithVersion(byte version, byte[] acl)
    {
        acl[0] = version;
        return acl;
    }

    private static byte[] Acl(params (int Tag, int Permissions, uint Id)[] entries)
    {
        var acl = new byte[4 + 8 * entries.Length];
        acl[0] = 2;
        for (int i = 0; i < entries.Length; i++)
        {
            var entry = acl.AsSpan(4 + 8 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)entries[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], entries[i].Id);
        }
        return acl;
    }
}
