using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

public sealed class OpenFileTests : IDisposable
{
    private readonly MdtFixture _mdt = new();

    public void Dispose() => _mdt.Dispose();

    [Fact]
    public async Task An_unlinked_open_file_lives_until_its_last_close_and_its_layout_is_queued_then()
    {
        var fid = _mdt.MakeFile("f", layout: [7, 7]);
        _mdt.Open("f", OpenMode.Read);
        _mdt.Open("f", OpenMode.Write);
        var unlinked = _mdt.Unlink("f");
        Assert.False(unlinked.Destroyed);
        Assert.Equal(0u, unlinked.Object.Attributes.NLink);
        Assert.True((unlinked.Object.Attributes.Flags & InodeFlags.Orphan) != 0);
        Assert.False(_mdt.Exists("f"));
        Assert.False(_mdt.Close(fid, OpenMode.Read).Destroyed);
        Assert.Equal(0u, _mdt.GetAttr(fid).Attributes.NLink);
        Assert.Empty(await DestroysAsync());

        var closed = _mdt.Close(fid, OpenMode.Write);
        Assert.True(closed.Destroyed);
        Assert.Equal(Errno.ENOENT, MdtFixture.ErrnoOf(() => _mdt.GetAttr(fid)));
        var pending = Assert.Single(await DestroysAsync());
        Assert.Equal(fid, pending.Fid);
        Assert.Equal([7, 7], pending.Layout.ToArray());
    }

    [Fact]
    public async Task A_restart_destroys_orphans_and_queued_layouts_stay_until_confirmed()
    {
        var orphan = _mdt.MakeFile("orphan", layout: [1]);
        _mdt.MakeFile("gone", layout: [2]);
        _mdt.Open("orphan", OpenMode.Read);
        _mdt.Unlink("orphan");
        _mdt.Unlink("gone");
        await _mdt.CommitAsync();
        _mdt.Reopen();
        Assert.Equal(Errno.ENOENT, MdtFixture.ErrnoOf(() => _mdt.GetAttr(orphan)));
        var pending = await DestroysAsync();
        Assert.Equal([[1], [2]], pending.Select(p => p.Layout.ToArray()).OrderBy(l => l[0]));

        lock (_mdt.Store.Gate)
        {
            _mdt.Fs.ConfirmDestroy(pending[0].Id);
        }
        _mdt.Reopen();
        Assert.Equal(pending[1].Id, Assert.Single(await DestroysAsync()).Id);
        TreeCheck.Check(_mdt);
    }

    [Fact]
    public void A_removed_open_directory_is_empty_and_takes_no_names()
    {
        var fid = _mdt.MakeDirectory("d");
        _mdt.Open("d", OpenMode.Read | OpenMode.Directory);
        _mdt.Unlink("d");
        Assert.Empty(_mdt.List(fid));
        int errno = MdtFixture.ErrnoOf(() =>
        {
            var made = _mdt.NextFid();
            lock (_mdt.Store.Gate)
            {
                _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs { Parent = fid, Name = "x"u8, Fid = made, Mode = 0x8180, Time = 1 });
            }
        });
        Assert.Equal(Errno.ENOENT, errno);
        Assert.True(_mdt.Close(fid, OpenMode.Read | OpenMode.Directory).Destroyed);
    }

    [Fact]
    public void A_volatile_file_has_no_name_and_ends_with_its_last_close()
    {
        var fid = _mdt.NextFid();
        lock (_mdt.Store.Gate)
        {
            var made = _mdt.Fs.CreateVolatile(MdtCredentials.Root, new CreateArgs
            {
                Parent = MdtFileSystem.Root,
                Name = default,
                Fid = fid,
                Mode = 0x8180,
                Time = 5,
            });
            Assert.Equal(0u, made.Object.Attributes.NLink);
            _mdt.Fs.Open(MdtCredentials.Root, fid, OpenMode.Write, created: true);
            _mdt.Fs.Open(MdtCredentials.Root, fid, OpenMode.Read, created: false);
            _mdt.Fs.SetLayout(fid, [9]);
        }
        Assert.Empty(_mdt.Names(""));
        Assert.False(_mdt.Close(fid, OpenMode.Write).Destroyed);
        Assert.True(_mdt.Close(fid, OpenMode.Read).Destroyed);
        Assert.Equal(Errno.ENOENT, MdtFixture.ErrnoOf(() => _mdt.GetAttr(fid)));
    }

    [Fact]
    public void Writing_and_executing_exclude_each_other()
    {
        var fid = _mdt.MakeFile("prog", 0x1FF);
        _mdt.Open("prog", OpenMode.Exec);
        Assert.Equal(Errno.ETXTBSY, MdtFixture.ErrnoOf(() => _mdt.Open("prog", OpenMode.Write)));
        Assert.Equal(Errno.ETXTBSY, MdtFixture.ErrnoOf(() => _mdt.SetAttr(new SetAttrArgs
        { Fid = fid, Valid = SetAttrValid.Size, Size = 0 })));
        _mdt.Close(fid, OpenMode.Exec);
        _mdt.Open("prog", OpenMode.Write);
        Assert.Equal(Errno.ETXTBSY, MdtFixture.ErrnoOf(() => _mdt.Open("prog", OpenMode.Exec)));
        Assert.Equal((1, 1, 0), _mdt.Fs.OpenCounts(fid));
    }

    [Fact]
    public void Append_only_files_are_opened_for_append_and_immutable_ones_not_for_writing()
    {
        _mdt.MakeFile("log");
        _mdt.SetFlags("log", InodeFlags.Append);
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Open("log", OpenMode.Write)));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Open("log", OpenMode.Write | OpenMode.Append | OpenMode.Truncate)));
        _mdt.Open("log", OpenMode.Write | OpenMode.Append);
        _mdt.MakeFile("fixed");
        _mdt.SetFlags("fixed", InodeFlags.Immutable);
        Assert.Equal(Errno.EACCES, MdtFixture.ErrnoOf(() => _mdt.Open("fixed", OpenMode.Write)));
        _mdt.Open("fixed", OpenMode.Read);
    }

    [Fact]
    public void Types_are_checked_at_open_and_the_maker_of_a_file_may_always_use_it()
    {
        _mdt.MakeDirectory("d");
        _mdt.MakeFile("f", 0x124, MdtFixture.User(0));
        Assert.Equal(Errno.EISDIR, MdtFixture.ErrnoOf(() => _mdt.Open("d", OpenMode.Write)));
        Assert.Equal(Errno.ENOTDIR, MdtFixture.ErrnoOf(() => _mdt.Open("f", OpenMode.Read | OpenMode.Directory)));
        Assert.Equal(Errno.EACCES, MdtFixture.ErrnoOf(() => _mdt.Open("f", OpenMode.Write, MdtFixture.User(500))));
        lock (_mdt.Store.Gate)
        {
            _mdt.Fs.Open(MdtFixture.User(500), _mdt.FidOf("f"), OpenMode.Write, created: true);
            _mdt.Fs.Open(MdtFixture.User(0), _mdt.FidOf("f"), OpenMode.Write | OpenMode.OwnerOverride, created: false);
        }
    }

    [Fact]
    public void A_close_moves_times_and_the_lazy_size_only_forward()
    {
        var fid = _mdt.MakeFile("f");
        long made = _mdt.GetAttr(fid).Attributes.CTime.Seconds;
        Close(new SetAttrArgs
        {
            Fid = fid,
            Valid = All,
            ATime = made + 10,
            MTime = made + 20,
            CTime = made + 20,
            Size = 5000,
            Blocks = 16,
        });
        var a = _mdt.GetAttr(fid).Attributes;
        Assert.Equal((made, made + 20, made + 20), (a.ATime.Seconds, a.MTime.Seconds, a.CTime.Seconds)); // atime within its slack
        Assert.Equal((5000ul, 16ul, true), (a.Size, a.Blocks, a.HasLazySize));

        var older = Close(new SetAttrArgs
        { Fid = fid, Valid = All, ATime = made + 61, MTime = made, CTime = made, Size = 100, Blocks = 1 });
        a = older.Object.Attributes;
        Assert.Equal((made + 61, made + 20, made + 20), (a.ATime.Seconds, a.MTime.Seconds, a.CTime.Seconds));
        Assert.Equal((5000ul, 16ul), (a.Size, a.Blocks));
        Assert.NotEqual(0ul, older.Transno);
    }

    private const SetAttrValid All = SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet | SetAttrValid.LazySize
        | SetAttrValid.LazyBlocks;

    private MdtResult Close(SetAttrArgs times)
    {
        _mdt.Open("f", OpenMode.Write);
        return _mdt.Close(times.Fid, OpenMode.Write, times);
    }

    private async Task<IReadOnlyList<PendingDestroy>> DestroysAsync()
    {
        await _mdt.CommitAsync();
        lock (_mdt.Store.Gate)
        {
            return _mdt.Fs.PendingDestroys(0, 100);
        }
    }
}
