using Nacre.EndToEnd.Harness;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>Mappings of one file on two mounts.</summary>
[Collection(Alone.Name)]
public sealed class MappedFileTests
{
    [FuseTheory]
    [InlineData(100)]
    [InlineData(300_000)]
    public async Task What_a_mapping_writes_is_seen_by_a_mount_that_has_read_the_file_before(int size)
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true });
        await using var at = new MountedFolders();
        string here = Path.Combine(await at.MountAsync(server), "f");
        string there = Path.Combine(await at.MountAsync(server), "f");
        await File.WriteAllBytesAsync(here, new byte[size]);

        // Both kernels have the pages now, from reads that share them.
        Assert.Equal(new byte[size], await File.ReadAllBytesAsync(here));
        Assert.Equal(new byte[size], await File.ReadAllBytesAsync(there));
        int file = FileCalls.Open(here, FileCalls.ReadWrite);
        try
        {
            byte[] data = [.. Enumerable.Range(1, size).Select(static i => (byte)i)];
            FileCalls.WriteMapped(file, data, 0, sync: false);
            Assert.Equal(data, await File.ReadAllBytesAsync(there));
        }
        finally
        {
            FileCalls.Close(file);
        }
    }
}
