using System.Text;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>Two clients see each other's work at once.</summary>
public sealed class CoherenceTests(ITestOutputHelper output) : IAsyncLifetime
{
    private TestServer _server = null!;
    private ScriptedClient _one = null!;
    private ScriptedClient _two = null!;

    private LuFid Root => _one.Root;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _one = await _server.MountAsync();
        _two = await _server.MountAsync();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task ACachedListingIsCalledBackBeforeANameAppears()
    {
        Assert.Equal(2, (await _one.ReadDirAsync(Root)).Count);
        Assert.True(_one.HoldsBits(Root, InodeBits.Update));

        await _two.MkdirAsync(Root, "new");

        Assert.False(_one.HoldsBits(Root, InodeBits.Update));
        Assert.True(_one.BlockingCallbacks > 0);
        Assert.Contains("new", (await _one.ReadDirAsync(Root)).Select(entry => entry.Name));
    }

    [Fact]
    public async Task ACachedNameIsCalledBackBeforeItVanishes()
    {
        var fid = await _one.MknodAsync(Root, "x", FileType.Regular | 0x1A4);
        await _one.LookupAsync(Root, "x");
        Assert.True(_one.HoldsBits(fid, InodeBits.Lookup));

        await _two.RenameAsync(Root, "x", Root, "y");

        Assert.False(_one.HoldsBits(fid, InodeBits.Lookup));
        Assert.Null(await _one.LookupAsync(Root, "x"));
        Assert.Equal(fid, (await _one.LookupAsync(Root, "y"))!.Fid);
    }

    [Fact]
    public async Task AttributesChangedByOneAreSeenByTheOther()
    {
        var fid = await _one.MknodAsync(Root, "x", FileType.Regular | 0x1A4);
        await _one.GetAttrAsync(Root, "x");
        await _two.ChmodAsync(fid, FileType.Regular | 0x180);

        Assert.False(_one.HoldsBits(fid, InodeBits.Perm));
        Assert.Equal(FileType.Regular | 0x180, (await _one.GetAttrAsync(Root, "x"))!.Mode);
    }

    [Fact]
    public async Task DataNotYetWrittenBackIsSeenThroughTheLock()
    {
        var written = await _one.CreateAsync(Root, "f", Layouts.Striped(2, 65536));
        var data = Enumerable.Range(0, 200_000).Select(i => (byte)i).ToArray();
        await _one.WriteBehindAsync(written, 0, data);

        var read = await _two.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(200_000UL, await _two.SizeAsync(read));
        Assert.True(_one.GlimpseCallbacks >= 1);
        Assert.Equal(0, _one.BlockingCallbacks);

        Assert.Equal(data, await _two.ReadAsync(read, 0, 300_000));
        Assert.True(_one.BlockingCallbacks >= 2);
    }

    /// <summary>
    /// Two clients append to one file at the same time, each under locks on all of both objects (03 section 23 (b)). Every line is there
    /// once, whole, and those of one client in their order.
    /// </summary>
    [Fact]
    public async Task AppendsByBothLoseNoLine()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var log = await _one.CreateAsync(Root, "log", Layouts.Striped(2, 65536));
        var same = await _two.OpenAsync(Root, "log", MdsOpen.Read | MdsOpen.Write);
        string[][] lines = [Lines("one", new Random(seed)), Lines("two", new Random(seed + 1))];
        await Task.WhenAll(AppendAllAsync(_one, log, lines[0]), AppendAllAsync(_two, same, lines[1]));

        var text = Encoding.ASCII.GetString(await _two.ReadAsync(same, 0, 10_000_000));
        Assert.Equal(lines.Sum(ofOne => ofOne.Sum(line => line.Length)), text.Length);
        var found = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line + '\n').ToLookup(line => line[..3]);
        Assert.Equal(lines[0], found["one"]);
        Assert.Equal(lines[1], found["two"]);
    }

    [Fact]
    public async Task TheSizeIsRightWhileTheOtherGoesOnWriting()
    {
        var written = await _one.CreateAsync(Root, "f", Layouts.Striped(2, 65536));
        var read = await _two.OpenAsync(Root, "f", MdsOpen.Read);
        ulong size = 0;
        for (var step = 1; step < 20; step++)
        {
            await _one.WriteBehindAsync(written, size, new byte[10_000 * step]);
            size += 10_000UL * (ulong)step;
            Assert.Equal(size, await _two.SizeAsync(read));
        }
    }

    [Fact]
    public async Task TruncationByOneIsSeenByTheOther()
    {
        var mine = await _one.CreateAsync(Root, "f");
        await _one.WriteBehindAsync(mine, 0, new byte[100_000]);
        var theirs = await _two.OpenAsync(Root, "f", MdsOpen.Read | MdsOpen.Write);
        await _two.TruncateAsync(theirs, 10);

        Assert.Equal(10UL, await _one.SizeAsync(mine));
        Assert.Equal(10, (await _one.ReadAsync(mine, 0, 1000)).Length);
    }

    [Fact]
    public async Task AGrownLayoutReachesAClientThatHasTheFileOpen()
    {
        var mine = await _one.CreateAsync(Root, "pfl", Layouts.Progressive(1 << 20, 2));
        var theirs = await _two.OpenAsync(Root, "pfl", MdsOpen.Read);
        await _one.WriteAsync(mine, 0, new byte[3 << 20]);

        theirs.Layout = await _two.GetLayoutAsync(theirs.Fid);
        Assert.Equal(3UL << 20, await _two.SizeAsync(theirs));
    }

    [Fact]
    public async Task FlockExcludesAcrossClients()
    {
        var fid = await _one.MknodAsync(Root, "lock", FileType.Regular | 0x1A4);
        Assert.True(await _one.FileLockAsync(fid, owner: 1, exclusive: true, wait: true));
        Assert.False(await _two.FileLockAsync(fid, owner: 2, exclusive: true, wait: false));

        var waiting = _two.FileLockAsync(fid, owner: 2, exclusive: true, wait: true);
        Assert.NotNull(await _two.TestFileLockAsync(fid, 3, true, 0, 1));
        Assert.False(waiting.IsCompleted);
        await _one.FileUnlockAsync(fid, owner: 1);
        Assert.True(await waiting.WithinBoundsAsync());
        Assert.False(await _one.FileLockAsync(fid, owner: 1, exclusive: false, wait: false));
        await _two.FileUnlockAsync(fid, owner: 2);
    }

    [Fact]
    public async Task RangesOfOneFileAreLockedApart()
    {
        var fid = await _one.MknodAsync(Root, "lock", FileType.Regular | 0x1A4);
        Assert.True(await _one.FileLockAsync(fid, 1, exclusive: true, wait: false, 0, 99, pid: 77));
        Assert.True(await _two.FileLockAsync(fid, 2, exclusive: true, wait: false, 100, 199));
        Assert.False(await _two.FileLockAsync(fid, 2, exclusive: false, wait: false, 50, 149));
        Assert.Equal((LockMode.PW, 0UL, 99UL, 77u), await _two.TestFileLockAsync(fid, 2, true, 50, 149));

        await _one.FileUnlockAsync(fid, 1, 50, 99);
        Assert.True(await _two.FileLockAsync(fid, 2, exclusive: false, wait: false, 50, 149));
        Assert.Null(await _one.TestFileLockAsync(fid, 1, true, 0, 49));
    }

    [Fact]
    public async Task CrossedLocksAreRefusedAsADeadlock()
    {
        var (a, b) = (await _one.MknodAsync(Root, "a", FileType.Regular | 0x1A4), await _one.MknodAsync(Root, "b", FileType.Regular | 0x1A4));
        await _one.FileLockAsync(a, 1, exclusive: true, wait: true);
        await _two.FileLockAsync(b, 2, exclusive: true, wait: true);
        var waiting = _one.FileLockAsync(b, 1, exclusive: true, wait: true);
        await Wait.UntilAsync(() => _one.WaitingLocks == 1, "the first waits");

        await Rpc.RefusedAsync(Errno.EDEADLK, () => _two.FileLockAsync(a, 2, exclusive: true, wait: true));
        await _two.FileUnlockAsync(b, 2);
        Assert.True(await waiting.WithinBoundsAsync());
    }

    [Fact]
    public async Task FileLocksGoWithTheClient()
    {
        var fid = await _one.MknodAsync(Root, "lock", FileType.Regular | 0x1A4);
        await _one.FileLockAsync(fid, 1, exclusive: true, wait: true);
        var waiting = _two.FileLockAsync(fid, 2, exclusive: true, wait: true);
        await _one.UnmountAsync();
        Assert.True(await waiting.WithinBoundsAsync());
    }

    /// <summary>Lines of any length up to several pages, so that some cross from one object into the other.</summary>
    private static string[] Lines(string name, Random random) =>
        [.. Enumerable.Range(0, 30).Select(i => $"{name} {i} {new string((char)('a' + (i % 26)), random.Next(12_000))}\n")];

    private static async Task AppendAllAsync(ScriptedClient client, OpenFile file, string[] lines)
    {
        foreach (var line in lines)
        {
            await client.AppendAsync(file, Encoding.ASCII.GetBytes(line));
        }
    }
}
