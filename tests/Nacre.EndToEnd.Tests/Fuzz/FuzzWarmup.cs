using Nacre.EndToEnd.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>Uses most requests once, so that there are some that fit the attacked node.</summary>
internal static class FuzzWarmup
{
    public static async Task UseAsync(ScriptedClient client, string name)
    {
        var directory = await client.MkdirAsync(client.Root, name);
        for (var i = 0; i < 20; i++)
        {
            await client.MknodAsync(directory, $"name{i}", FileType.Regular | 0x1B6);
        }

        await client.ReadDirAsync(directory);
        await UseFileAsync(client, directory);
        await UseNamesAsync(client, directory);
    }

    private static async Task UseFileAsync(ScriptedClient client, LuFid directory)
    {
        var component = new LovComponent { StripeCount = 1, StripeSize = 65536, GenOrOffset = Lov.Any };
        var file = await client.CreateAsync(directory, "data", LovLayout.Plain(component));
        await client.WriteAsync(file, 0, new byte[1 << 20]);
        await client.WriteAsync(file, 0, new byte[100]);
        await client.ReadAsync(file, 0, 1 << 20);
        await client.ReadAsync(file, 0, 100);
        await client.FallocateAsync(file, 0, 1 << 20);
        await client.SeekAsync(file, 0, hole: true);
        await client.TruncateAsync(file, 5000);
        await client.SetObjectTimesAsync(file, 1, 2);
        await client.FsyncAsync(file);
        await client.StatFsAsync(0);
        await client.CloseAsync(file);
        var wide = await client.CreateAsync(directory, "wide");
        await client.WriteAsync(wide, 0, new byte[1 << 20]);
        await client.GetLayoutAsync(wide.Fid);
        await client.CloseAsync(wide);
    }

    private static async Task UseNamesAsync(ScriptedClient client, LuFid directory)
    {
        var fid = await client.MknodAsync(directory, "f", FileType.Regular | 0x1A4);
        await client.LinkAsync(fid, directory, "g");
        await client.RenameAsync(directory, "g", directory, "h");
        await client.UnlinkAsync(directory, "h");
        await client.ReadLinkAsync(await client.SymlinkAsync(directory, "l", "target"), "target".Length);
        await client.ChmodAsync(fid, FileType.Regular | 0x1FF);
        await client.SetXattrAsync(fid, "user.a", [1, 2, 3]);
        await client.GetXattrAsync(fid, "user.a");
        await client.GetAllXattrsAsync(fid);
        await client.PathOfAsync(fid);
        await client.GetAttrAsync(directory, "f");
        await client.FileLockAsync(fid, 1, exclusive: true, wait: true, 0, 9);
        await client.TestFileLockAsync(fid, 2, exclusive: true, 0, 9);
        await client.FileUnlockAsync(fid, 1);
    }
}
