using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Tests.Mdt;

public sealed class MetadataStoreTests : IDisposable
{
    private readonly MdtFixture _mdt = new();

    public void Dispose() => _mdt.Dispose();

    [Fact]
    public async Task Reads_name_the_transaction_they_depend_on_until_it_is_committed()
    {
        using var mdt = new MdtFixture(new MetadataStoreOptions { CommitInterval = TimeSpan.FromHours(1) });
        var made = mdt.Make("f", ModeBits.Regular);
        Assert.Equal(made.Transaction, mdt.GetAttr(made.Object.Fid).Transaction);
        Assert.Equal(made.Transaction, mdt.Lookup("f").Transaction);
        Assert.Equal(made.Transaction, mdt.Lookup("nothing").Transaction); // its absence may be as new
        Assert.True(mdt.Store.CommittedTransno < made.Transno);
        await mdt.Store.WhenCommitted(made.Transaction);
        Assert.Equal(made.Transno, mdt.Store.CommittedTransno);
        Assert.Equal(0ul, mdt.GetAttr(made.Object.Fid).Transaction);
        Assert.Equal(0ul, mdt.Lookup("nothing").Transaction);
    }

    [Fact]
    public async Task Changes_are_committed_soon_even_when_nobody_waits()
    {
        var made = _mdt.Make("f", ModeBits.Regular);
        for (int i = 0; i < 1000 && _mdt.Store.CommittedTransno < made.Transno; i++)
        {
            await Task.Delay(10);
        }
        Assert.True(_mdt.Store.CommittedTransno >= made.Transno);
        for (int i = 0; i < 1000 && _mdt.Store.SyncedTransaction < made.Transaction; i++)
        {
            await Task.Delay(10);
        }
        Assert.True(_mdt.Store.SyncedTransaction >= made.Transaction);
    }

    [Fact]
    public async Task Many_at_once_all_get_their_commit_and_share_it()
    {
        var fids = Enumerable.Range(0, 2000).Select(_ => _mdt.NextFid()).ToArray();
        var transactions = await Task.WhenAll(fids.Select((fid, i) => Task.Run(async () =>
        {
            MdtResult result;
            lock (_mdt.Store.Gate)
            {
                result = _mdt.Fs.Create(MdtCredentials.Root, new CreateArgs
                { Parent = MdtFileSystem.Root, Name = MdtFixture.Bytes($"{i}"), Fid = fid, Mode = 0x81A4, Time = i });
            }
            await _mdt.Store.WhenCommitted(result.Transaction);
            Assert.True(_mdt.Store.CommittedTransno >= result.Transno);
            return result.Transaction;
        })));
        Assert.True(transactions.Distinct().Count() < 2000);
        Assert.Equal(2000, TreeCheck.Check(_mdt).Count);
    }

    [Fact]
    public async Task Transnos_grow_over_restarts()
    {
        ulong last = 0;
        for (int run = 0; run < 4; run++)
        {
            var made = _mdt.Make($"f{run}", ModeBits.Regular);
            Assert.True(made.Transno >> 32 > last >> 32);
            Assert.Equal(made.Transno, made.Object.Attributes.Version);
            last = made.Transno;
            await _mdt.CommitAsync();
            _mdt.Reopen();
        }
    }

    [Fact]
    public void Numbers_are_never_given_twice()
    {
        var seen = new HashSet<LuFid>();
        var sequences = new HashSet<ulong>();
        using var mdt = new MdtFixture(new MetadataStoreOptions { ObjectBatch = 8, SequenceBatch = 4 });
        for (int run = 0; run < 5; run++)
        {
            lock (mdt.Store.Gate)
            {
                for (int i = 0; i < 50; i++)
                {
                    Assert.True(seen.Add(mdt.Fs.AllocateObject(i % 3)));
                    Assert.True(sequences.Add(mdt.Fs.AllocateSequence()));
                }
            }
            mdt.Reopen();
        }
        Assert.Equal(0x200000401ul, sequences.Min());
        Assert.Equal([0x240000400ul, 0x240010400ul, 0x240020400ul], seen.Select(f => f.Sequence).Distinct().Order());
        Assert.All(seen, f => Assert.NotEqual(0u, f.ObjectId));
    }

    [Fact]
    public async Task A_failed_commit_fails_everything_in_it_and_nothing_before_or_after()
    {
        _mdt.MakeDirectory("d");
        var kept = _mdt.MakeFile("kept");
        await _mdt.CommitAsync();
        int aborts = 0;
        _mdt.Store.Aborted += errno => aborts += errno == Errno.ENOSPC ? 1 : 0;
        Task[] waits;
        lock (_mdt.Store.Gate)
        {
            _mdt.Store.FaultPoint = Fail(SqliteNative.Full);
            var made = _mdt.Make("lost", ModeBits.Regular);
            var moved = _mdt.Rename("kept", "d/kept");
            var removed = _mdt.Unlink("d/kept");
            var read = _mdt.GetAttr(MdtFileSystem.Root);
            waits = [.. new[] { made.Transaction, moved.Transaction, removed.Transaction, read.Transaction }
                .Select(t => _mdt.Store.WhenCommitted(t).AsTask())];
        }
        foreach (var wait in waits)
        {
            Assert.Equal(Errno.ENOSPC, (await Assert.ThrowsAsync<FsException>(() => wait)).Errno);
        }
        Assert.Equal(1, aborts);
        Assert.Equal(["d", "kept"], _mdt.Names(""));
        Assert.Equal(kept, _mdt.FidOf("kept"));
        Assert.Equal(1u, _mdt.GetAttr(kept).Attributes.NLink);

        var again = _mdt.Make("lost", ModeBits.Regular);
        await _mdt.Store.WhenCommitted(again.Transaction);
        Assert.Equal(["d", "kept", "lost"], _mdt.Names(""));
        TreeCheck.Check(_mdt);
        _mdt.Reopen();
        Assert.Equal(["d", "kept", "lost"], _mdt.Names(""));
        TreeCheck.Check(_mdt);
    }

    [Fact]
    public async Task A_commit_error_is_an_io_error_for_those_who_ask_late_too()
    {
        _mdt.Store.FaultPoint = Fail(SqliteNative.IoError);
        var made = _mdt.Make("f", ModeBits.Regular);
        Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<FsException>(() => _mdt.Store.WhenCommitted(made.Transaction).AsTask())).Errno);
        Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<FsException>(() => _mdt.Store.WhenCommitted(made.Transaction).AsTask())).Errno);
    }

    [Fact]
    public async Task A_full_disk_refuses_creates_until_there_is_space_again()
    {
        var layout = new byte[2000];
        int made = 0, refused = 0;
        lock (_mdt.Store.Gate)
        {
            _mdt.Store.LimitPages(60);
        }
        for (int i = 0; i < 200; i++)
        {
            try
            {
                await _mdt.Store.WhenCommitted(_mdt.Make($"f{i}", ModeBits.Regular, layout: layout).Transaction);
                made++;
            }
            catch (FsException e) when (e.Errno == Errno.ENOSPC)
            {
                refused++;
            }
        }
        Assert.True(made > 10 && refused > 10, $"{made} made, {refused} refused");
        Assert.Equal(made, TreeCheck.Check(_mdt).Count);
        await _mdt.Store.WhenCommitted(_mdt.Unlink(_mdt.Names("")[0]).Transaction); // removing works on a full disk
        lock (_mdt.Store.Gate)
        {
            _mdt.Store.LimitPages(1_000_000);
        }
        await _mdt.Store.WhenCommitted(_mdt.Make("again", ModeBits.Regular, layout: layout).Transaction);
        _mdt.Reopen();
        Assert.Equal(made, TreeCheck.Check(_mdt).Count);
    }

    [Fact]
    public async Task An_orphan_whose_last_close_was_rolled_back_is_destroyed_later()
    {
        var fid = _mdt.MakeFile("f", layout: [4]);
        _mdt.Open("f", OpenMode.Read);
        _mdt.Unlink("f");
        await _mdt.CommitAsync();
        Task wait;
        lock (_mdt.Store.Gate)
        {
            _mdt.Store.FaultPoint = Fail(SqliteNative.Full);
            wait = _mdt.Store.WhenCommitted(_mdt.Close(fid, OpenMode.Read).Transaction).AsTask();
        }
        await Assert.ThrowsAsync<FsException>(() => wait);
        lock (_mdt.Store.Gate)
        {
            Assert.Empty(_mdt.Fs.PendingDestroys(0, 10));
        }
        await _mdt.CommitAsync();
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(fid, Assert.Single(_mdt.Fs.PendingDestroys(0, 10)).Fid);
            Assert.False(_mdt.Fs.TryGetAttr(fid, out _));
        }
    }

    [Fact]
    public async Task A_kill_while_objects_are_made_leaves_them_to_be_destroyed()
    {
        var fid = _mdt.MakeFile("f");
        lock (_mdt.Store.Gate)
        {
            _mdt.Fs.ForeseeDestroy(fid, [1]);
        }
        await _mdt.CommitAsync();
        lock (_mdt.Store.Gate)
        {
            Assert.Empty(_mdt.Fs.PendingDestroys(0, 1));
        }
        _mdt.Reopen();
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(fid, Assert.Single(_mdt.Fs.PendingDestroys(0, 1)).Fid);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Objects_belong_either_to_the_file_or_to_the_queue(bool rolledBack)
    {
        var fid = _mdt.MakeFile("f");
        long id;
        lock (_mdt.Store.Gate)
        {
            id = _mdt.Fs.ForeseeDestroy(fid, [1]).Id;
        }
        await _mdt.CommitAsync();
        Task stored;
        lock (_mdt.Store.Gate)
        {
            if (rolledBack)
            {
                _mdt.Store.FaultPoint = Fail(SqliteNative.Full);
            }
            stored = _mdt.Store.WhenCommitted(_mdt.Fs.SetObjects(fid, [1], id).Transaction).AsTask();
            _mdt.Fs.LetDestroy(id);
        }
        Assert.Equal(rolledBack, await Record.ExceptionAsync(() => stored) is FsException);
        lock (_mdt.Store.Gate)
        {
            Assert.Equal(rolledBack, _mdt.GetAttr("f").Layout.IsEmpty);
            Assert.Equal(rolledBack ? 1 : 0, _mdt.Fs.PendingDestroys(0, 10).Count);
        }
    }

    [Fact]
    public async Task A_failed_flush_is_told_and_the_next_one_makes_good()
    {
        _mdt.MakeFile("f");
        _mdt.Store.FaultPoint = point =>
        {
            if (point == "sync")
            {
                _mdt.Store.FaultPoint = null;
                throw new IOException("the disk is gone");
            }
        };
        Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<FsException>(() => _mdt.Store.SyncAsync().AsTask())).Errno);
        await _mdt.Store.SyncAsync();
        Assert.True(_mdt.Store.SyncedTransaction > 0);
    }

    [Fact]
    public async Task What_was_synced_survives_a_power_cut_that_takes_any_of_the_later_pages()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        var expected = new List<string>();
        for (int round = 0; round < 8; round++)
        {
            for (int i = 0; i < 30; i++)
            {
                _mdt.MakeFile($"synced{round}-{i}");
                expected.Add($"synced{round}-{i}");
            }
            await _mdt.Store.SyncAsync();
            byte[] before = await ReadWalAsync();
            for (int i = 0; i < 60; i++)
            {
                _mdt.MakeFile($"later{round}-{i}");
                await _mdt.CommitAsync();
            }
            byte[] after = await ReadWalAsync();
            string folder = Directory.CreateTempSubdirectory("nacre-mdt-").FullName;
            try
            {
                File.Copy(_mdt.DatabasePath, Path.Combine(folder, "mdt.db"));
                await File.WriteAllBytesAsync(Path.Combine(folder, "mdt.db-wal"), LosePages(before, after, random));
                using var survivor = new MdtFixture(_mdt.Options, folder: folder);
                var paths = TreeCheck.Check(survivor);
                Assert.All(expected, name => Assert.True(paths.ContainsKey(name), $"{name} is lost, seed {seed}"));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [Fact]
    public async Task The_wal_starts_over_and_nothing_is_lost_by_it()
    {
        using var mdt = new MdtFixture(new MetadataStoreOptions { CheckpointBytes = 256 << 10 });
        int made = 0, restarts = 0, frames = 0;
        for (; restarts < 3 && made < 100_000; made++)
        {
            await mdt.Store.WhenCommitted(mdt.Make($"f{made}", ModeBits.Regular, layout: new byte[100]).Transaction);
            restarts += mdt.Store.WalFrames < frames ? 1 : 0;
            frames = mdt.Store.WalFrames;
        }
        Assert.Equal(3, restarts);
        Assert.Equal(made, TreeCheck.Check(mdt).Count);
        mdt.Reopen();
        Assert.Equal(made, TreeCheck.Check(mdt).Count);
    }

    [Fact]
    public void A_second_process_a_newer_format_another_file_system_and_other_files_are_refused()
    {
        Assert.Contains("in use by another process", OpenFails(_mdt.Options), StringComparison.Ordinal);
        _mdt.Store.Dispose();
        Assert.Contains("belongs to the file system 'test'", OpenFails(new MetadataStoreOptions { FileSystemName = "other" }),
            StringComparison.Ordinal);
        using (var db = new SqliteConnection(_mdt.DatabasePath, create: false))
        {
            db.Execute("PRAGMA user_version=99");
        }
        Assert.Contains("has format 99, written by a newer Nacre", OpenFails(_mdt.Options), StringComparison.Ordinal);
        File.WriteAllText(_mdt.DatabasePath, new string('x', 10_000));
        OpenFails(_mdt.Options);
    }

    [Fact]
    public async Task People_can_read_it_with_the_views()
    {
        _mdt.MakeDirectory("d");
        _mdt.MakeFile("d/hello");
        await _mdt.CommitAsync();
        using var db = new SqliteConnection(_mdt.DatabasePath, create: false);
        var rows = db.Prepare("SELECT n.directory, n.fid, f.mode FROM name n JOIN file f USING(ino) WHERE n.name = 'hello'");
        Assert.True(rows.Step());
        Assert.Equal("[0x200000401:0x1:0x0]", rows.Text(0));
        Assert.Equal("[0x200000401:0x2:0x0]", rows.Text(1));
        Assert.Equal("100644", rows.Text(2));
    }

    [Fact]
    public async Task Waiters_complete_when_the_store_closes_and_later_calls_are_told()
    {
        using var mdt = new MdtFixture(new MetadataStoreOptions { CommitInterval = TimeSpan.FromHours(1) });
        var made = mdt.Make("f", ModeBits.Regular);
        var wait = mdt.Store.WhenCommitted(made.Transaction).AsTask();
        mdt.Store.Dispose();
        await wait;
        Assert.Throws<ObjectDisposedException>(() => mdt.Make("g", ModeBits.Regular));
    }

    private string OpenFails(MetadataStoreOptions options)
    {
        var error = Assert.Throws<MetadataStoreException>(
            () => MetadataStore.Open(_mdt.DatabasePath, options, TimeProvider.System, NullLogger.Instance));
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }

    private Action<string> Fail(int code) => point =>
    {
        if (point == "commit")
        {
            _mdt.Store.FaultPoint = null;
            throw new SqliteException(code, "injected");
        }
    };

    private async Task<byte[]> ReadWalAsync()
    {
        await using var file = new FileStream(_mdt.DatabasePath + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    /// <summary>Each 4096-byte page of the file is as it was at the sync or as it became, at random; those behind the old end
    /// may be missing.</summary>
    private static byte[] LosePages(byte[] before, byte[] after, Random random)
    {
        const int Page = 4096;
        var result = (byte[])after.Clone();
        for (int at = 0; at < result.Length; at += Page)
        {
            if (random.Next(2) == 0)
            {
                int length = Math.Min(Page, result.Length - at);
                var page = result.AsSpan(at, length);
                page.Clear();
                int old = Math.Clamp(before.Length - at, 0, length);
                before.AsSpan(Math.Min(at, before.Length), old).CopyTo(page);
            }
        }
        return result;
    }
}
