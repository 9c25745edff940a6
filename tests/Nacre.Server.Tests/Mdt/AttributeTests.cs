using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

/// <summary>setattr, inheritance and xattrs where a plain example says more than the model.</summary>
public sealed class AttributeTests : IDisposable
{
    private readonly MdtFixture _mdt = new();

    public void Dispose() => _mdt.Dispose();

    [Fact]
    public void A_setattr_that_was_overtaken_changes_no_times_and_has_no_transno()
    {
        var fid = _mdt.MakeFile("f");
        var a = _mdt.GetAttr(fid).Attributes;
        const SetAttrValid Times = SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet;
        var late = _mdt.SetAttr(new SetAttrArgs { Fid = fid, Valid = Times, ATime = 1, MTime = 1, CTime = a.CTime.Seconds - 1 });
        Assert.Equal(0ul, late.Transno);
        Assert.Equal(a, _mdt.GetAttr(fid).Attributes);
        var equal = _mdt.SetAttr(new SetAttrArgs { Fid = fid, Valid = Times, ATime = 1, MTime = 2, CTime = a.CTime });
        Assert.NotEqual(0ul, equal.Transno);
        Assert.Equal(new FileTime(2), _mdt.GetAttr(fid).Attributes.MTime);
    }

    [Fact]
    public void Set_id_bits_end_with_a_chown_and_with_the_kill_bits()
    {
        var fid = _mdt.MakeFile("f", 0xDED); // 6755
        _mdt.Chown("f", 500, 500);
        Assert.Equal(0x81EDu, _mdt.GetAttr(fid).Attributes.Mode);
        _mdt.Chmod("f", 0xDED);
        _mdt.SetAttr(new SetAttrArgs { Fid = fid, Valid = SetAttrValid.KillSuid | SetAttrValid.KillSgid }, MdtFixture.User(7));
        Assert.Equal(0x81EDu, _mdt.GetAttr(fid).Attributes.Mode);
        _mdt.MakeDirectory("d", 0xDED);
        _mdt.Chown("d", 500, 500);
        Assert.Equal(0x4DEDu, _mdt.GetAttr("d").Attributes.Mode);
    }

    [Fact]
    public void Devices_keep_their_number_and_symlinks_their_target()
    {
        var device = _mdt.Make("null", ModeBits.Character | 0x1B6, rdev: 0x103);
        Assert.Equal(0x103u, device.Object.Attributes.RDev);
        var link = _mdt.Make("link", ModeBits.Symlink, target: "some/where");
        Assert.Equal((0xA1FFu, 10ul), (link.Object.Attributes.Mode, link.Object.Attributes.Size));
        _mdt.Reopen();
        Assert.Equal("some/where"u8.ToArray(), _mdt.GetAttr("link").Target.ToArray());
        Assert.Equal(0x103u, _mdt.GetAttr("null").Attributes.RDev);
        Assert.Equal(Errno.ENAMETOOLONG, MdtFixture.ErrnoOf(() => _mdt.Make("long", ModeBits.Symlink, target: new string('x', 4096))));
        Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.Make("none", ModeBits.Symlink)));
    }

    [Fact]
    public void A_set_gid_directory_passes_its_group_on()
    {
        _mdt.MakeDirectory("d", 0x5FF);
        _mdt.Chown("d", 0, 700);
        var user = MdtFixture.User(500, 500);
        var directory = _mdt.GetAttr(_mdt.MakeDirectory("d/sub", 0x1ED, user)).Attributes;
        Assert.Equal((700u, 0x45EDu), (directory.Gid, directory.Mode));
        var file = _mdt.GetAttr(_mdt.MakeFile("d/f", 0x5FF, user)).Attributes;
        Assert.Equal((700u, 0x81FFu), (file.Gid, file.Mode));
        var member = _mdt.GetAttr(_mdt.MakeFile("d/g", 0x5FF, MdtFixture.User(500, 500, 700))).Attributes;
        Assert.Equal(0x85FFu, member.Mode);
    }

    [Fact]
    public void A_directory_default_layout_is_copied_below_but_not_from_the_root()
    {
        lock (_mdt.Store.Gate)
        {
            _mdt.Fs.SetDefaultLayout(MdtCredentials.Root, MdtFileSystem.Root, [1], null);
        }
        var d = _mdt.MakeDirectory("d");
        Assert.True(_mdt.GetAttr(d).Layout.IsEmpty);
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Fs.SetDefaultLayout(MdtFixture.User(5), d, [2], null)));
            _mdt.Fs.SetDefaultLayout(MdtCredentials.Root, d, [2, 2], 77);
        }
        Assert.Equal([2, 2], _mdt.GetAttr(_mdt.MakeDirectory("d/e")).Layout.ToArray());
        Assert.True(_mdt.GetAttr(_mdt.MakeFile("d/f")).Layout.IsEmpty);
        Assert.Equal([2, 2], _mdt.GetXattr("d/e", "trusted.lov")!);
    }

    [Fact]
    public void Owner_and_group_change_by_the_rules()
    {
        var user = MdtFixture.User(500, 500, 600);
        _mdt.Chmod("", 0x1FF);
        _mdt.MakeFile("f", who: user);
        _mdt.Chown("f", 500, 600, user);
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Chown("f", 500, 601, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Chown("f", 501, 600, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Chown("f", 500, 500, MdtFixture.User(501, 500))));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetFlags("f", InodeFlags.Immutable, user)));
        _mdt.SetFlags("f", InodeFlags.NoDump | InodeFlags.Orphan, user);
        Assert.Equal(InodeFlags.NoDump, _mdt.GetAttr("f").Attributes.Flags);
    }

    [Fact]
    public void The_owner_may_truncate_with_the_override_whatever_the_mode()
    {
        var user = MdtFixture.User(500);
        _mdt.Chmod("", 0x1FF);
        var fid = _mdt.MakeFile("f", 0x100, user);
        var args = new SetAttrArgs { Fid = fid, Valid = SetAttrValid.Size, Size = 1000 };
        Assert.Equal(Errno.EACCES, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args, user)));
        _mdt.SetAttr(args with { Valid = SetAttrValid.Size | SetAttrValid.OwnerOverride }, user);
        var a = _mdt.GetAttr(fid).Attributes;
        Assert.Equal((1000ul, true), (a.Size, a.HasLazySize));
    }

    [Fact]
    public void A_writer_who_is_not_the_owner_takes_set_id_bits_away_and_nothing_else()
    {
        var user = MdtFixture.User(501);
        var fid = _mdt.MakeFile("f", 0xFFF);
        var args = new SetAttrArgs { Fid = fid, Valid = SetAttrValid.Mode | SetAttrValid.Force, Mode = 0x3FF };
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args with { Valid = SetAttrValid.Mode }, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args with { Mode = 0x3FE }, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args with { Mode = 0x1FF }, user)));
        var closed = _mdt.MakeFile("closed", 0xDC0);
        var times = args with { Fid = closed, Mode = 0x1C0, Valid = args.Valid | SetAttrValid.MTimeSet, MTime = new FileTime(5) };
        Assert.Equal(Errno.EACCES, MdtFixture.ErrnoOf(() => _mdt.SetAttr(times, user)));
        var future = new FileTime(long.MaxValue / 2);
        _mdt.SetAttr(times with { Valid = args.Valid | SetAttrValid.CTimeSet, CTime = future }, user);
        Assert.True(_mdt.GetAttr(closed).Attributes.CTime.CompareTo(future) < 0);
        var folder = _mdt.MakeDirectory("folder", 0x5FF);
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args with { Fid = folder, Mode = 0x1FF }, user)));
        _mdt.SetAttr(args, user);
        Assert.Equal(0x3FFu, _mdt.GetAttr(fid).Attributes.Mode & ModeBits.PermissionMask);
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetAttr(args with { Mode = 0xFFF }, user)));
    }

    [Fact]
    public void Anybody_may_touch_the_ctime_but_not_into_the_future()
    {
        var fid = _mdt.MakeFile("f", 0x180);
        var before = _mdt.GetAttr(fid).Attributes.CTime;
        _mdt.SetAttr(
            new SetAttrArgs { Fid = fid, Valid = SetAttrValid.CTimeSet, CTime = new FileTime(before.Seconds + 100_000_000_000) },
            MdtFixture.User(501));
        Assert.InRange(_mdt.GetAttr(fid).Attributes.CTime.Seconds, before.Seconds, before.Seconds + 99_999_999_999);
    }

    [Fact]
    public void Root_is_squashed_unless_exempt_and_users_bring_no_capabilities()
    {
        var policy = new IdentityPolicy { RootSquash = (65534, 65533) };
        var squashed = MdtCredentials.FromClient(0, 0, uint.MaxValue, 5, 6, policy, exempt: false);
        Assert.Equal(new MdtCredentials(65534, 65533, Capabilities.None), squashed);
        var root = MdtCredentials.FromClient(0, 0, uint.MaxValue, 5, 6, policy, exempt: true);
        Assert.True(root.Has(Capabilities.DacOverride) && root.InGroup(5) && root.InGroup(6));
        Assert.Equal(Capabilities.None, MdtCredentials.FromClient(500, 1, uint.MaxValue, 5, 6, policy, false).Capabilities);
        Assert.False(squashed.InGroup(MdtCredentials.NoGroup));
    }

    [Fact]
    public void Xattrs_keep_their_values_and_limits()
    {
        _mdt.MakeFile("f");
        var large = new byte[65536];
        Random.Shared.NextBytes(large);
        _mdt.SetXattr("f", "user.large", large);
        _mdt.SetXattr("f", "user.empty", []);
        Assert.Equal(Errno.E2BIG, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "user.larger", new byte[65537])));
        Assert.Equal(Errno.ERANGE, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "user." + new string('x', 251), [1])));
        Assert.Equal(Errno.EEXIST, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "user.empty", [1], XattrFlags.Create)));
        Assert.Equal(Errno.ENODATA, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "user.other", [1], XattrFlags.Replace)));
        _mdt.Reopen();
        Assert.Equal(large, _mdt.GetXattr("f", "user.large"));
        Assert.Equal([], _mdt.GetXattr("f", "user.empty")!);
        Assert.Null(_mdt.GetXattr("f", "user.other"));
        for (int i = 0; i < 15; i++)
        {
            _mdt.SetXattr("f", $"user.{i}", new byte[65500]);
        }
        Assert.Equal(Errno.ENOSPC, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "user.more", new byte[65500])));
        _mdt.Unlink("f");
        _mdt.MakeFile("f");
        Assert.Null(_mdt.GetXattr("f", "user.large"));
    }

    [Fact]
    public void Xattr_namespaces_have_their_own_permissions()
    {
        _mdt.MakeFile("f", 0x1B6);
        _mdt.Make("link", ModeBits.Symlink, target: "f");
        var user = MdtFixture.User(500);
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "trusted.x", [1], 0, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetXattr("f", "security.x", [1], 0, user)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.SetXattr("link", "user.x", [1])));
        _mdt.SetXattr("f", "user.x", [1], 0, user);
        _mdt.SetXattr("link", "trusted.x", [1]);
        Assert.Equal(0ul, _mdt.SetXattr("f", "trusted.lov", [1]).Transno); // a backup tool's: success without effect
        Assert.Null(_mdt.GetXattr("f", "trusted.lov"));
    }
}
