using System.Net;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.EndToEnd;

/// <summary>
/// Another program fills the disk to the last byte, again and again. Files can be removed and cut all the same, what adds is
/// refused, nothing is lost, the node starts, and all is well when there is room.
/// </summary>
[Collection(Alone.Name)]
public sealed class FullDiskTests
{
    private const int DiskMib = 160;
    private const int ReserveMib = 16;
    private const int Files = 6;
    private const int FileBytes = 2 << 20;

    [SmallDiskFact]
    public async Task ItIsFreedThroughTheFileSystem()
    {
        using var disk = SmallDisk.TryMake(DiskMib, out _)!;
        await using var server = await TestServer.StartAsync(new TestServerOptions
        {
            DataFolder = Path.Combine(disk.MountPoint, "data"),
            ReserveBytes = ReserveMib << 20,
            CapacityGib = 2,
        });
        var client = await server.MountAsync();
        var files = await WriteFilesAsync(client);
        await FillUpAsync(disk, client);

        await RefusedAsync(() => client.MkdirAsync(client.Root, "directory"));
        await RefusedAsync(() => client.LinkAsync(files[1].Fid, client.Root, "link"));
        await RefusedAsync(() => client.RenameAsync(client.Root, "f1", client.Root, "g1"));
        await RefusedAsync(() => client.SetXattrAsync(files[1].Fid, "user.x", new byte[100]));
        await client.UnlinkAsync(client.Root, "f0", files[0].Fid);
        disk.Fill();
        var open = await client.OpenAsync(client.Root, "f1", MdsOpen.Write | MdsOpen.Read);
        await client.TruncateAsync(open, 4096);
        Assert.Equal(4096UL, await client.SizeAsync(open));
        await client.CloseAsync(open);

        // Twice: the first start finds the log of an orderly stop, and leaves what the second finds.
        for (var start = 0; start < 2; start++)
        {
            disk.Fill();
            await server.RestartAsync();
            await client.ReconnectAsync();
            Assert.Null(await client.LookupAsync(client.Root, "f0"));
            await RefusedAsync(() => client.MkdirAsync(client.Root, "directory"));
            var removed = $"f{2 + start}";
            await client.UnlinkAsync(client.Root, removed);
            Assert.Null(await client.LookupAsync(client.Root, removed));
        }

        await VerifyAsync(client, "f4", 4);
        disk.Fill();
        await client.UnlinkAsync(client.Root, "f5");
        await Wait.UntilAsync(() => disk.FreeBytes > FileBytes / 2, "the space of the removed file is free");

        disk.Empty();
        await Wait.UntilAsync(() => TryAsync(() => client.MkdirAsync(client.Root, "directory")), "there is room again");
        Assert.Equal(ReserveMib << 20, new FileInfo(Path.Combine(server.DataFolder, SpaceReserve.FileName)).Length);
        await VerifyAsync(client, "f4", 4);
    }

    [SmallDiskFact]
    public async Task ItIsFreedAfterAKill()
    {
        using var disk = SmallDisk.TryMake(DiskMib, out _)!;
        var folder = Path.Combine(disk.MountPoint, "data");
        var port = TestServer.FreePort();
        string[] options = ["--reserve-mib", $"{ReserveMib}"];
        var node = await ChildNode.StartAsync(folder, port, "demo01,osts=1,capacity-gib=1", options);
        try
        {
            await using var client = await ScriptedClient.MountAsync(ClientOptions(port)).WithinBoundsAsync();
            await WriteFilesAsync(client);
            await FillUpAsync(disk, client);
            for (var file = 0; file < 3; file++)
            {
                await client.UnlinkAsync(client.Root, $"f{file}");
                disk.Fill();
                await node.KillAsync();
                await node.DisposeAsync();
                node = await ChildNode.StartAsync(folder, port, "demo01", options);
                await client.ReconnectAsync();
                Assert.Null(await client.LookupAsync(client.Root, $"f{file}"));
            }

            await VerifyAsync(client, "f4", 4);
            disk.Empty();
            await Wait.UntilAsync(() => TryAsync(() => client.MkdirAsync(client.Root, "directory")), "there is room again");
        }
        finally
        {
            await node.DisposeAsync();
        }
    }

    private static async Task<List<OpenFile>> WriteFilesAsync(ScriptedClient client)
    {
        var files = new List<OpenFile>();
        for (var i = 0; i < Files; i++)
        {
            var file = await client.CreateAsync(client.Root, $"f{i}", Layouts.Striped(1, 1 << 20));
            await client.WriteAsync(file, 0, Content(i));
            await client.FsyncAsync(file);
            await client.CloseAsync(file);
            files.Add(file);
        }

        return files;
    }

    /// <summary>The change that finds the disk full uses the reserve; those after it are refused.</summary>
    private static async Task FillUpAsync(SmallDisk disk, ScriptedClient client)
    {
        disk.Fill();
        var made = 0;
        await Wait.UntilAsync(async () => !await TryAsync(() => client.MkdirAsync(client.Root, $"made{made++}")), "the disk is known to be full");
        disk.Fill();
    }

    private static async Task VerifyAsync(ScriptedClient client, string name, int seed)
    {
        var file = await client.OpenAsync(client.Root, name, MdsOpen.Read);
        var read = await client.ReadAsync(file, 0, FileBytes);
        Assert.True(Content(seed).AsSpan().SequenceEqual(read));
        await client.CloseAsync(file);
    }

    private static Task RefusedAsync(Func<Task> operation) => Rpc.RefusedAsync(Errno.ENOSPC, operation);

    private static async ValueTask<bool> TryAsync(Func<Task> operation)
    {
        try
        {
            await operation();
            return true;
        }
        catch (RpcException refused)
        {
            Assert.Equal(Errno.ENOSPC, refused.Errno);
            return false;
        }
    }

    private static byte[] Content(int seed)
    {
        var bytes = new byte[FileBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static ScriptedClientOptions ClientOptions(int port) => new()
    {
        Transport = new TcpTransport(),
        Server = new IPEndPoint(IPAddress.Loopback, port),
        ServerNid = Nid.Parse("127.0.0.1@tcp"),
        Nid = Nid.Parse("10.1.0.1@tcp"),
        FileSystem = "demo01",
    };
}
