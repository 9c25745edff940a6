using Nacre.Client.Tests.Harness;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

/// <summary>Bytes, as far as the inode has a part in it: sizes, times, truncation, copies.</summary>
public sealed class FileDataTests
{
    [Fact]
    public async Task What_is_written_is_read_by_the_writer_and_by_others()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var file = await one.CreateAsync(one.Root, "f");
        var bytes = Pattern(100_000);

        await WriteAsync(one, file, 0, bytes);

        Assert.Equal(bytes, await ReadAsync(one, file, 0, 200_000));
        var other = await two.OpenAsync((await two.LookupAsync(two.Root, "f")).Node!);
        Assert.Equal(bytes, await ReadAsync(two, other, 0, 200_000));
        Assert.Equal(100_000, (await two.StatAsync(other.Node)).Size);
    }

    [Fact]
    public async Task A_size_that_grows_elsewhere_is_seen()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var file = await one.CreateAsync(one.Root, "f");
        var seen = (await two.LookupAsync(two.Root, "f")).Node!;

        for (var i = 1; i <= 5; i++)
        {
            await WriteAsync(one, file, (i - 1) * 1000, Pattern(1000));
            Assert.Equal(i * 1000, (await two.StatAsync(seen)).Size);
        }
    }

    [Fact]
    public async Task Truncation_cuts_and_grows()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.CreateAsync(client.Root, "f");
        await WriteAsync(client, file, 0, Pattern(10_000));

        await TruncateAsync(client, file.Node, 100);
        await TruncateAsync(client, file.Node, 300);

        Assert.Equal(Join(Pattern(10_000)[..100], new byte[200]), await ReadAsync(client, file, 0, 1000));
        Assert.Equal(300, (await client.StatAsync(file.Node)).Size);
    }

    [Fact]
    public async Task Opening_with_O_TRUNC_empties_the_file()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.CreateAsync(client.Root, "f");
        await WriteAsync(client, file, 0, Pattern(10_000));
        await client.Vfs.ReleaseAsync(file);

        var again = await client.OpenAsync(file.Node, flags: 0x202);

        Assert.Equal(0, (await client.StatAsync(again.Node)).Size);
    }

    [Fact]
    public async Task A_removed_file_can_be_used_as_long_as_it_is_open()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.CreateAsync(client.Root, "f");
        await WriteAsync(client, file, 0, Pattern(5000));

        Assert.Equal(0, await client.UnlinkAsync(client.Root, "f"));
        await WriteAsync(client, file, 5000, Pattern(5000));

        Assert.Equal(Join(Pattern(5000), Pattern(5000)), await ReadAsync(client, file, 0, 20_000));
        Assert.Equal(0u, (await client.StatAsync(file.Node)).LinkCount);
        await client.Vfs.ReleaseAsync(file);
    }

    [Fact]
    public async Task Ranges_are_copied_between_files()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var from = await client.CreateAsync(client.Root, "a");
        var to = await client.CreateAsync(client.Root, "b");
        var bytes = Pattern(3 << 20);
        await WriteAsync(client, from, 0, bytes);

        var copied = (await client.Vfs.CopyRangeAsync(from, 100, to, 7, 5 << 20, CancellationToken.None)).Value;

        Assert.Equal(bytes.Length - 100, copied);
        Assert.Equal(Join(new byte[7], bytes[100..]), await ReadAsync(client, to, 0, 4 << 20));
    }

    [Fact]
    public async Task Times_can_be_set_to_the_past()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var file = await one.CreateAsync(one.Root, "f");
        await WriteAsync(one, file, 0, Pattern(100));
        var change = new AttributeChange(AttributeFields.AccessTime | AttributeFields.ModifyTime)
        {
            AccessTime = new Timestamp(1000, 0),
            ModifyTime = new Timestamp(2000, 0),
        };

        Assert.Equal(0, (await one.Vfs.SetAttributesAsync(file.Node, file, change, one.Who, CancellationToken.None)).Errno);

        foreach (var client in (Mounted[])[one, two])
        {
            var shown = (await client.LookupAsync(client.Root, "f")).Attributes;
            Assert.Equal((1000, 2000), (shown.AccessTime.Seconds, shown.ModifyTime.Seconds));
        }
    }

    [Fact]
    public async Task Files_open_one_way_are_not_used_the_other()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.TouchAsync(client.Root, "f");
        var node = (await client.LookupAsync(client.Root, "f")).Node!;
        var (reads, writes) = (await client.OpenAsync(node, 0), await client.OpenAsync(node, 1));

        Assert.Equal(Errno.EBADF, (await client.Vfs.WriteAsync(reads, 0, new byte[1], WriteOptions.None, CancellationToken.None)).Errno);
        Assert.Equal(Errno.EBADF, (await client.Vfs.ReadAsync(writes, 0, 1, CancellationToken.None)).Errno);
    }

    [Fact]
    public async Task Synced_data_is_on_the_server()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.CreateAsync(client.Root, "f");
        await WriteAsync(client, file, 0, Pattern(70_000));
        Assert.Equal(0, (await client.Vfs.SyncAsync(file, false, CancellationToken.None)).Errno);

        await world.Server.RestartAsync();

        var other = await world.MountAsync();
        var again = await other.OpenAsync((await other.LookupAsync(other.Root, "f")).Node!);
        Assert.Equal(Pattern(70_000), await ReadAsync(other, again, 0, 100_000));
    }

    private static byte[] Join(byte[] first, byte[] second) => [.. first, .. second];

    internal static byte[] Pattern(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    internal static async Task WriteAsync(Mounted client, OpenNode file, long offset, byte[] bytes)
    {
        var written = (await client.Vfs.WriteAsync(file, offset, bytes, WriteOptions.None, CancellationToken.None)).Value;
        Assert.Equal((bytes.Length, offset + bytes.Length), written);
    }

    internal static async Task<byte[]> ReadAsync(Mounted client, OpenNode file, long offset, int length)
    {
        var all = new List<byte>();
        while (all.Count < length)
        {
            using var result = (await client.Vfs.ReadAsync(file, offset + all.Count, Math.Min(1 << 20, length - all.Count), CancellationToken.None)).Value;
            if (result.Length == 0)
            {
                break;
            }

            foreach (var segment in result.Segments)
            {
                all.AddRange(segment.Span);
            }
        }

        return [.. all];
    }

    private static async Task TruncateAsync(Mounted client, Node node, long size) => Assert.Equal(0, (await client.Vfs.SetAttributesAsync(
        node, null, new AttributeChange(AttributeFields.Size) { Size = size }, client.Who, CancellationToken.None)).Errno);
}
