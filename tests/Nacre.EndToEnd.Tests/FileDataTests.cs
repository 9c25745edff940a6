using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>File data through the wire, one client: every layout gives back what was written.</summary>
public sealed class FileDataTests : IAsyncLifetime
{
    private const ulong TeraByte = 1UL << 40;

    private TestServer _server = null!;
    private ScriptedClient _client = null!;

    private LuFid Root => _client.Root;

    public static TheoryData<string> LayoutNames => ["default", "one stripe", "two stripes", "wide", "progressive"];

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync(new TestServerOptions { Osts = 4 });
        _client = await _server.MountAsync();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(LayoutNames))]
    public async Task WhatWasWrittenIsReadByAnotherMount(string layoutName)
    {
        var file = await _client.CreateAsync(Root, "f", Layout(layoutName));
        var data = Data(9_876_543, 1);
        await _client.WriteAsync(file, 0, data.AsMemory(0, 4_000_001));
        await _client.WriteAsync(file, 4_000_001, data.AsMemory(4_000_001));
        await _client.FsyncAsync(file);
        await _client.CloseAsync(file);

        var other = await _server.MountAsync();
        var opened = await other.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal((ulong)data.Length, await other.SizeAsync(opened));
        AssertSame(data.AsMemory(), await other.ReadAsync(opened, 0, data.Length + 1000));
        AssertSame(data.AsMemory(3_999_990, 70_000), await other.ReadAsync(opened, 3_999_990, 70_000));
        Assert.Empty(await other.ReadAsync(opened, (ulong)data.Length, 100));
    }

    [Theory]
    [MemberData(nameof(LayoutNames))]
    public async Task OverwritesAndHolesKeepWhatIsAround(string layoutName)
    {
        var file = await _client.CreateAsync(Root, "f", Layout(layoutName));
        var model = new byte[6 << 20];
        var random = new Random(5);
        for (var i = 0; i < 40; i++)
        {
            var (start, length) = (random.Next(model.Length - 1), random.Next(1, 200_000));
            var data = Data(Math.Min(length, model.Length - start), i);
            data.CopyTo(model, start);
            await _client.WriteAsync(file, (ulong)start, data);
        }

        var size = (int)await _client.SizeAsync(file);
        AssertSame(model.AsMemory(0, size), await _client.ReadAsync(file, 0, model.Length));
    }

    [Theory]
    [MemberData(nameof(LayoutNames))]
    public async Task TruncateCutsAndExtends(string layoutName)
    {
        var file = await _client.CreateAsync(Root, "f", Layout(layoutName));
        var data = Data(5 << 20, 3);
        await _client.WriteAsync(file, 0, data);
        await _client.TruncateAsync(file, 1_234_567);
        Assert.Equal(1_234_567UL, await _client.SizeAsync(file));

        await _client.TruncateAsync(file, 4 << 20);
        Array.Clear(data, 1_234_567, data.Length - 1_234_567);
        var other = await _server.MountAsync();
        var opened = await other.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(4UL << 20, await other.SizeAsync(opened));
        AssertSame(data.AsMemory(0, 4 << 20), await other.ReadAsync(opened, 0, 5 << 20));
    }

    [Fact]
    public async Task FilesMayBeSparseTo16TiB()
    {
        var file = await _client.CreateAsync(Root, "sparse", Layouts.Striped(4, 1 << 20));
        var tail = Data(5000, 7);
        var last = (16 * TeraByte) - (ulong)tail.Length;
        await _client.WriteAsync(file, last, tail);
        await _client.WriteAsync(file, 3 * TeraByte, tail);

        Assert.Equal(16 * TeraByte, await _client.SizeAsync(file));
        Assert.Equal(tail, await _client.ReadAsync(file, last, 1 << 20));
        Assert.Equal(tail, await _client.ReadAsync(file, 3 * TeraByte, tail.Length));
        AssertSame(new byte[3 << 20], await _client.ReadAsync(file, 8 * TeraByte, 3 << 20));
        await _client.TruncateAsync(file, 1);
        Assert.Equal(1UL, await _client.SizeAsync(file));
    }

    [Fact]
    public async Task ComponentsGetObjectsWhenTheyAreWritten()
    {
        var file = await _client.CreateAsync(Root, "pfl", Layouts.Progressive(1 << 20, 3));
        Assert.Equal([true, false], file.Layout!.Components.Select(component => component.IsInstantiated));
        var generation = file.Layout.Generation;
        await _client.WriteAsync(file, 0, Data(1 << 20, 1));
        Assert.Equal(generation, (await _client.GetLayoutAsync(file.Fid))!.Generation);

        await _client.WriteAsync(file, 1 << 20, Data(1, 1));
        var grown = (await _client.GetLayoutAsync(file.Fid))!;
        Assert.Equal([true, true], grown.Components.Select(component => component.IsInstantiated));
        Assert.Equal(3, grown.Components[1].Objects.Select(data => data.OstIndex).Distinct().Count());
        Assert.NotEqual(generation, grown.Generation);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData((3UL << 20) + 5)]
    [InlineData((200UL << 20) + 7)]
    public async Task ASizeSetBeforeThereAreObjectsSurvivesTheFirstOpenForWriting(ulong size)
    {
        var made = await _client.OpenAsync(Root, "sized", MdsOpen.Creat | MdsOpen.Write | MdsOpen.DelayCreate);
        Assert.Null(made.Layout);
        await _client.TruncateAsync(made, size);
        await _client.CloseAsync(made);

        var file = await _client.OpenAsync(Root, "sized", MdsOpen.Write | MdsOpen.Read);
        Assert.Equal(size, await _client.SizeAsync(file));
        await _client.WriteAsync(file, 0, Data(1, 1));
        Assert.Equal(size, await _client.SizeAsync(file));
    }

    [Fact]
    public async Task SeekFindsDataAndHoles()
    {
        var file = await _client.CreateAsync(Root, "f", Layouts.Striped(1, 1 << 20));
        await _client.WriteAsync(file, 1 << 20, Data(65536, 1));

        Assert.Equal(1UL << 20, await _client.SeekAsync(file, 0, hole: false));
        Assert.Equal(0UL, await _client.SeekAsync(file, 0, hole: true));
        Assert.Equal((1UL << 20) + 65536, await _client.SeekAsync(file, 1 << 20, hole: true));
        Assert.Null(await _client.SeekAsync(file, 2 << 20, hole: false));
    }

    [Fact]
    public async Task FallocateExtendsAndPunchesHoles()
    {
        var file = await _client.CreateAsync(Root, "f", Layouts.Striped(1, 1 << 20));
        await _client.FallocateAsync(file, 0, 2 << 20);
        Assert.Equal(2UL << 20, await _client.SizeAsync(file));

        var data = Data(1 << 20, 2);
        await _client.WriteAsync(file, 0, data);
        await _client.FallocateAsync(file, 65536, 131072, FallocateMode.PunchHole | FallocateMode.KeepSize);
        Array.Clear(data, 65536, 65536);
        AssertSame(data.AsMemory(), await _client.ReadAsync(file, 0, 1 << 20));
        Assert.Equal(2UL << 20, await _client.SizeAsync(file));
    }

    [Fact]
    public async Task RemovedFilesGiveTheirSpaceBack()
    {
        var before = await _client.StatFsAsync(0);
        var file = await _client.CreateAsync(Root, "big", Layouts.Striped(4, 1 << 20));
        await _client.WriteAsync(file, 0, Data(32 << 20, 1));
        await _client.FsyncAsync(file);
        await _client.CloseAsync(file);
        await Wait.UntilAsync(async () => (await _client.StatFsAsync(0)).BlocksFree < before.BlocksFree, "the file takes space");

        await _client.UnlinkAsync(Root, "big", file.Fid);
        await Wait.UntilAsync(async () => (await _client.StatFsAsync(0)).BlocksFree == before.BlocksFree, "its space is free again");
    }

    [Fact]
    public async Task AFullFileSystemSaysSo()
    {
        await using var small = await TestServer.StartAsync(new TestServerOptions { Osts = 1, CapacityGib = 1 });
        var client = await small.MountAsync();
        var file = await client.CreateAsync(client.Root, "f", Layouts.Striped(1, 1 << 20));
        await Rpc.RefusedAsync(Errno.ENOSPC, () => client.FallocateAsync(file, 0, 2UL << 30));
        await client.WriteAsync(file, 0, Data(4096, 1));
        Assert.Equal(4096UL, await client.SizeAsync(file));
    }

    private static LovLayout? Layout(string name) => name switch
    {
        "one stripe" => Layouts.Striped(1, 65536),
        "two stripes" => Layouts.Striped(2, 65536),
        "wide" => Layouts.Striped(4, 1 << 20),
        "progressive" => Layouts.Progressive(1 << 20, 4),
        _ => null,
    };

    /// <summary>Compares without printing megabytes.</summary>
    private static void AssertSame(ReadOnlyMemory<byte> expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.Equal(-1, expected.Span.CommonPrefixLength(actual) is var same && same == actual.Length ? -1 : same);
    }

    private static byte[] Data(int length, int seed)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }
}
