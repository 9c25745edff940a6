using System.Text;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;

namespace Nacre.Server.Tests.Mdt;

/// <summary>link, unlink, rename, fid2path and readdir where a plain example says more than the model.</summary>
public sealed class NamesTests : IDisposable
{
    private readonly MdtFixture _mdt = new(limits: new MdtFileSystemOptions { MaxLinks = 5 });

    public void Dispose() => _mdt.Dispose();

    [Fact]
    public void A_name_may_have_any_255_bytes_but_slash_and_nul()
    {
        var name = Enumerable.Range(1, 255).Select(b => (byte)(b == '/' ? 'x' : b)).ToArray();
        var fid = _mdt.NextFid();
        lock (_mdt.Store.Gate)
        {
            _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs { Parent = MdtFileSystem.Root, Name = name, Fid = fid, Mode = 0x81A4, Time = 1 });
            Assert.Equal(fid, _mdt.Fs.Lookup(MdtCredentials.Root, MdtFileSystem.Root, name).Object.Fid);
            Assert.Equal(name, _mdt.Fs.PathOf(fid, 0, MdtFileSystem.Root, 255).Path);
        }
    }

    [Theory]
    [InlineData(0x200000007ul, 9u, 0u)] // not a sequence of clients
    [InlineData(0x200000401ul, 0u, 0u)]
    [InlineData(0x200000401ul, 1u, 1u)]
    [InlineData(0x23fffffffUL, 1u, 0u)] // never handed out
    [InlineData(0x240000400ul, 1u, 0u)] // an object of an OST
    [InlineData(1ul, 1u, 0u)]
    public void A_fid_nobody_was_given_is_refused(ulong sequence, uint objectId, uint version)
    {
        _mdt.NextFid();
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs
            { Parent = MdtFileSystem.Root, Name = "x"u8, Fid = new LuFid(sequence, objectId, version), Mode = 0x81A4, Time = 1 })));
        }
    }

    [Fact]
    public void A_fid_in_use_is_refused()
    {
        var used = _mdt.MakeFile("a");
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(Errno.EEXIST, MdtFixture.ErrnoOf(() => _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs
            { Parent = MdtFileSystem.Root, Name = "b"u8, Fid = used, Mode = 0x81A4, Time = 1 })));
        }
        Assert.Equal(["a"], _mdt.Names(""));
    }

    [Fact]
    public void Links_are_counted_up_to_the_limit_and_known_by_path()
    {
        var fid = _mdt.MakeFile("a");
        _mdt.MakeDirectory("d");
        foreach (string name in new[] { "b", "d/c", "d/d", "e" })
        {
            _mdt.Link("a", name);
        }
        Assert.Equal(5u, _mdt.GetAttr(fid).Attributes.NLink);
        Assert.Equal(Errno.EMLINK, MdtFixture.ErrnoOf(() => _mdt.Link("a", "f")));
        Assert.Equal(Errno.EPERM, MdtFixture.ErrnoOf(() => _mdt.Link("d", "dd")));
        Assert.Equal(["a", "b", "d/c", "d/d", "e"], Enumerable.Range(0, 5).Select(i => _mdt.PathOf(fid, (uint)i)));
        lock (_mdt.Store.Gate)
        {
            Assert.True(_mdt.Fs.PathOf(fid, 3, MdtFileSystem.Root, 100).MoreLinks);
            Assert.False(_mdt.Fs.PathOf(fid, 4, MdtFileSystem.Root, 100).MoreLinks);
        }
        Assert.Equal(4u, _mdt.Unlink("b").Object.Attributes.NLink);
        _mdt.Rename("d/c", "moved");
        Assert.Equal(["a", "d/d", "e", "moved"], Enumerable.Range(0, 4).Select(i => _mdt.PathOf(fid, (uint)i)));
    }

    [Fact]
    public void The_link_ea_has_the_form_of_the_protocol()
    {
        var fid = _mdt.MakeFile("ab");
        byte[] link = _mdt.GetXattr("ab", "trusted.link")!;
        Assert.Equal("DFF1EA11" + "01000000" + "2C00000000000000" + "00000000" + "00000000"
            + "0014" + "0000000200000007" + "00000001" + "00000000" + "6162", Convert.ToHexString(link));
        Assert.Equal("0000000000000000" + "0104000002000000" + "01000000" + "00000000",
            Convert.ToHexString(_mdt.GetXattr("ab", "trusted.lma")!));
        Assert.Equal(new LuFid(0x200000401, 1), fid);
    }

    [Fact]
    public void More_links_than_the_link_ea_holds_work_all_the_same()
    {
        using var mdt = new MdtFixture();
        var fid = mdt.MakeFile("first");
        string Name(int i) => new string('n', 200) + i;
        for (int i = 0; i < 40; i++)
        {
            mdt.Link("first", Name(i));
        }
        Assert.True(mdt.GetXattr("first", "trusted.link")!.Length <= 4096);
        for (int i = 0; i < 40; i++)
        {
            mdt.Unlink(Name(i));
        }
        Assert.Equal(1u, mdt.GetAttr(fid).Attributes.NLink);
        Assert.Equal("first", mdt.PathOf(fid));
        Assert.True(mdt.Unlink("first").Destroyed);
    }

    [Fact]
    public void Paths_start_at_the_root_that_is_asked_for()
    {
        var a = _mdt.MakeDirectory("a");
        var b = _mdt.MakeDirectory("a/b");
        var f = _mdt.MakeFile("a/b/f");
        var other = _mdt.MakeFile("other");
        lock (_mdt.Store.Gate)
        {
            Assert.Equal("b/f"u8.ToArray(), _mdt.Fs.PathOf(f, 0, a, 3).Path);
            Assert.Equal([], _mdt.Fs.PathOf(b, 0, b, 0).Path);
            Assert.Equal(Errno.EOVERFLOW, MdtFixture.ErrnoOf(() => _mdt.Fs.PathOf(f, 0, a, 2)));
            Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.Fs.PathOf(other, 0, a, 100)));
            Assert.Equal(Errno.ENODATA, MdtFixture.ErrnoOf(() => _mdt.Fs.PathOf(f, 1, a, 100)));
            Assert.Equal(Errno.ENOENT, MdtFixture.ErrnoOf(() => _mdt.Fs.PathOf(new LuFid(0x200000401, 999), 0, a, 100)));
            Assert.Equal(b, _mdt.Fs.ResolveFileset("/a//b/"u8).Fid);
            Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.Fs.ResolveFileset("/a/../a"u8)));
            Assert.Equal(Errno.ENOENT, MdtFixture.ErrnoOf(() => _mdt.Fs.ResolveFileset("/a/x"u8)));
            Assert.Equal(Errno.ENOTDIR, MdtFixture.ErrnoOf(() => _mdt.Fs.ResolveFileset("/a/b/f"u8)));
        }
    }

    [Fact]
    public void Forty_directories_deep_works()
    {
        string path = "";
        for (int i = 0; i < 40; i++)
        {
            path += (i == 0 ? "" : "/") + $"level{i}";
            _mdt.MakeDirectory(path);
        }
        Assert.Equal(path, _mdt.PathOf(_mdt.FidOf(path)));
        Assert.Equal(Errno.EINVAL, MdtFixture.ErrnoOf(() => _mdt.Rename("level0", path + "/below")));
    }

    [Fact]
    public void Rename_over_something_reports_what_it_destroyed()
    {
        _mdt.MakeFile("a");
        var victim = _mdt.MakeFile("b", layout: [3]);
        var result = _mdt.Rename("a", "b");
        Assert.Equal(victim, result.Object.Fid);
        Assert.Equal(0u, result.Object.Attributes.NLink);
        Assert.True(result.Destroyed);
        Assert.Equal(["b"], _mdt.Names(""));
        var free = _mdt.Rename("b", "c");
        Assert.True(free.Object.Fid.IsZero);
        Assert.Equal(1ul, free.PreVersions.V3);
        Assert.Equal(0ul, free.PreVersions.V1);
    }

    [Fact]
    public void Links_of_one_inode_are_not_renamed_over_each_other()
    {
        _mdt.MakeFile("a");
        _mdt.Link("a", "b");
        Assert.Equal(0ul, _mdt.Rename("a", "b").Transno);
        Assert.Equal(["a", "b"], _mdt.Names(""));
    }

    [Fact]
    public void A_directory_does_not_leave_its_project()
    {
        _mdt.MakeDirectory("p");
        _mdt.MakeDirectory("d");
        var tree = _mdt.FidOf("p");
        _mdt.SetAttr(new SetAttrArgs
        { Fid = tree, Valid = SetAttrValid.ProjId | SetAttrValid.AttrFlags, ProjId = 7, Flags = InodeFlags.ProjInherit });
        Assert.Equal(7u, _mdt.GetAttr(_mdt.MakeFile("p/f")).Attributes.ProjId);
        Assert.Equal(InodeFlags.ProjInherit, _mdt.GetAttr(_mdt.MakeDirectory("p/s")).Attributes.Flags);
        Assert.Equal(Errno.EXDEV, MdtFixture.ErrnoOf(() => _mdt.Rename("p/s", "s")));
        Assert.Equal(Errno.EXDEV, MdtFixture.ErrnoOf(() => _mdt.Rename("d", "p/d")));
        _mdt.MakeFile("plain");
        Assert.Equal(Errno.EXDEV, MdtFixture.ErrnoOf(() => _mdt.Link("plain", "p/plain")));
    }

    [Theory]
    [InlineData(NameHash.MaxBits)]
    [InlineData(3)]
    public void Reading_a_directory_in_pieces_gives_every_lasting_name_once_whatever_else_comes_and_goes(int hashBits)
    {
        using var mdt = new MdtFixture(new MetadataStoreOptions { HashBits = hashBits });
        var fid = mdt.MakeDirectory("d");
        for (int i = 0; i < 500; i++)
        {
            mdt.MakeFile($"d/lasting{i}");
        }
        var random = new Random(17);
        var sink = new MdtFixture.ListSink { Room = 7 };
        ulong? next = 0;
        for (int round = 0; next is { } from; round++)
        {
            mdt.MakeFile($"d/coming{round}");
            if (round > 2 && mdt.Exists($"d/coming{round - 2}"))
            {
                mdt.Unlink($"d/coming{round - 2}");
            }
            int renamed = random.Next(500);
            mdt.Rename($"d/lasting{renamed}", $"d/lasting{renamed}x");
            mdt.Rename($"d/lasting{renamed}x", $"d/lasting{renamed}");
            sink.Taken = 0;
            lock (mdt.Store.Gate)
            {
                next = mdt.Fs.ReadDir(fid, from, ref sink).Next;
            }
        }
        var lasting = sink.Entries.Where(e => e.Name.StartsWith("lasting", StringComparison.Ordinal)).Select(e => e.Name).ToList();
        if (hashBits == NameHash.MaxBits)
        {
            // Renaming back gives the old position again, so even renamed ones are seen exactly once.
            Assert.Equal(500, lasting.Count(n => !n.EndsWith('x')));
        }
        Assert.Equal(lasting.Count, lasting.Distinct().Count());
        Assert.Equal(sink.Entries.Select(e => e.Cookie).Order(), sink.Entries.Select(e => e.Cookie));
        Assert.All(sink.Entries.Skip(2), e => Assert.InRange(e.Cookie, 2ul, (ulong)long.MaxValue - 1));
    }

    [Fact]
    public void Positions_survive_a_restart_and_differ_in_their_upper_half()
    {
        var fid = _mdt.MakeDirectory("d");
        for (int i = 0; i < 300; i++)
        {
            _mdt.MakeFile($"d/{i}");
        }
        var before = _mdt.List(fid);
        _mdt.Reopen();
        Assert.Equal(before, _mdt.List(fid, batch: 11));
        Assert.Equal(300, before.Skip(2).Select(e => e.Cookie >> 32).Distinct().Count());
    }

    [Fact]
    public void The_name_hash_is_siphash()
    {
        var key = Enumerable.Range(0, 16).Select(i => (byte)i).ToArray();
        var message = Enumerable.Range(0, 15).Select(i => (byte)i).ToArray();
        Assert.Equal(0xa129ca6149be45e5ul, new NameHash(key, NameHash.MaxBits).SipHash(message));
        Assert.Equal(0x726fdb47dd0e0e31ul, new NameHash(key, NameHash.MaxBits).SipHash(default));
    }

    [Fact]
    public void A_large_directory_keeps_all_its_names()
    {
        var fid = _mdt.MakeDirectory("d");
        const int Count = 20_000;
        lock (_mdt.Store.Gate)
        {
            ulong sequence = _mdt.Fs.AllocateSequence();
            for (int i = 1; i <= Count; i++)
            {
                _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs
                { Parent = fid, Name = Encoding.ASCII.GetBytes($"{i}"), Fid = new LuFid(sequence, (uint)i), Mode = 0x81A4, Time = 1 });
            }
        }
        Assert.Equal(Count + 2, _mdt.List(fid, batch: 1000).Select(e => e.Name).Distinct().Count());
        Assert.Equal(Errno.ENOTEMPTY, MdtFixture.ErrnoOf(() => _mdt.Unlink("d")));
    }
}
