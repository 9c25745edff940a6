using Nacre.EndToEnd.Captures;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;
using Xunit.Abstractions;

namespace Nacre.EndToEnd.Wireshark;

/// <summary>What this server sends dissects in Wireshark with no complaint that genuine traffic does not show for the same message.</summary>
public sealed class DissectionTests(ITestOutputHelper output)
{
    [Fact]
    public async Task GivesNoComplaintThatGenuineTrafficDoesNotShow()
    {
        var genuine = new DissectorFindings();
        foreach (var name in CaptureReader.Names)
        {
            var frames = CaptureReader.Frames(name);
            Assert.True(frames.Count > 20, $"{name}: {frames.Count} frames");
            await genuine.AddAsync(frames);
        }

        // The yardstick itself: the captures were taken apart.
        Assert.Contains("LDLM_ENQUEUE intent GetAttr reply 0", genuine.Kinds);
        Assert.Contains("MDS_REINT Rename request", genuine.Kinds);

        await using var server = await TestServer.StartAsync();
        var recording = new RecordingTransport(server.Transport);
        await UseEverythingAsync(server, recording);
        var ours = new DissectorFindings();
        var sent = recording.Frames();
        await ours.AddAsync(sent);

        output.WriteLine($"kinds of messages: {ours.Kinds.Count}, of them in the captures too: {ours.Kinds.Count(genuine.Kinds.Contains)}");
        Assert.True(ours.Kinds.Count > 60, string.Join('\n', ours.Kinds));
        var findings = ours.NotIn(genuine).Where(finding => !LockValueTakenForABody(finding)).ToList();
        if (findings.Count > 0)
        {
            var kept = Path.Combine(Path.GetTempPath(), "nacre-dissection.pcap");
            PcapWriter.Write(kept, sent);
            Assert.Fail($"{string.Join('\n', findings)}\nsee: tshark -r {kept} -d tcp.port==988,lnet -O lustre");
        }
    }

    /// <summary>
    /// The dissector shows the lock value block of an extent lock as an mdt_body when the resource is named by a normal FID, as
    /// our objects are; the objects of the captures have ids of the old form (06 section 2.1). Its bytes are pinned by the lock manager's tests.
    /// </summary>
    private static bool LockValueTakenForABody(string finding) =>
        finding.StartsWith("LDLM_ENQUEUE Extent", StringComparison.Ordinal) && finding.Contains("reply", StringComparison.Ordinal);

    private static async Task UseEverythingAsync(TestServer server, RecordingTransport recording)
    {
        var one = await server.MountAsync(recording);
        var two = await server.MountAsync(recording);
        await UseNamesAsync(one);
        await UseDataAsync(one, two);
        await UseFileLocksAsync(one, two);
        await one.UnmountAsync();
        await two.UnmountAsync();
    }

    private static async Task UseNamesAsync(ScriptedClient client)
    {
        var directory = await client.MkdirAsync(client.Root, "d");
        for (var i = 0; i < 200; i++)
        {
            await client.MknodAsync(directory, $"some-name-{i}", FileType.Fifo | 0x1A4);
        }

        await client.ReadDirAsync(directory);
        await client.LookupAsync(directory, "none");
        await client.LookupAsync(directory, "some-name-3");
        var file = await client.CreateAsync(directory, "f");
        await client.LinkAsync(file.Fid, directory, "g");
        await client.RenameAsync(directory, "g", directory, "h");
        await client.UnlinkAsync(directory, "h");
        var link = await client.SymlinkAsync(directory, "l", "target");
        await client.ReadLinkAsync(link, "target".Length);
        await client.ChmodAsync(file.Fid, FileType.Regular | 0x1FF);
        await client.ChownAsync(file.Fid, 1, 2);
        await client.SetTimesAsync(file.Fid, 1, 2);
        await client.SetXattrAsync(file.Fid, "user.a", [1, 2, 3]);
        await client.GetXattrAsync(file.Fid, "user.a");
        await client.GetXattrAsync(file.Fid, "user.b");
        await client.GetAllXattrsAsync(file.Fid);
        await client.RemoveXattrAsync(file.Fid, "user.a");
        await client.GetAttrAsync(directory, "f");
        await client.PathOfAsync(file.Fid);
        await client.SetDefaultLayoutAsync(directory, Layouts.Striped(2, 65536));
        await client.SyncAsync(file.Fid);
        await client.CloseAsync(file);
        await Rpc.RefusedAsync(Errno.ENOTEMPTY, () => client.RmdirAsync(client.Root, "d"));
        await client.MkdirAsync(client.Root, "empty");
        await Rpc.RefusedAsync(Errno.ENOTEMPTY, () => client.RenameAsync(client.Root, "empty", client.Root, "d", FileType.Directory));
    }

    private static async Task UseDataAsync(ScriptedClient one, ScriptedClient two)
    {
        var mine = await one.CreateAsync(one.Root, "data", Layouts.Progressive(1 << 20, 2));
        await one.WriteBehindAsync(mine, 0, new byte[3 << 20]);
        await one.WriteBehindAsync(mine, 0, new byte[100]);
        var theirs = await two.OpenAsync(two.Root, "data", MdsOpen.Read | MdsOpen.Write);
        theirs.Layout = await two.GetLayoutAsync(theirs.Fid);
        await two.SizeAsync(theirs);
        await two.ReadAsync(theirs, 0, 3 << 20);
        await two.ReadAsync(theirs, 0, 1000);
        await two.TruncateAsync(theirs, 1000);
        await two.SetObjectTimesAsync(theirs, 1, 2);
        await one.FsyncAsync(mine);
        await one.StatFsAsync(0);
        var plain = await one.CreateAsync(one.Root, "plain", Layouts.Striped(1, 65536));
        await one.AppendAsync(plain, new byte[10]);
        await one.FallocateAsync(plain, 0, 1 << 20);
        await one.SeekAsync(plain, 0, hole: true);
        await one.CloseAsync(plain);
        await two.CloseAsync(theirs);
        await one.UnlinkAsync(one.Root, "plain", plain.Fid);
    }

    private static async Task UseFileLocksAsync(ScriptedClient one, ScriptedClient two)
    {
        var fid = await one.MknodAsync(one.Root, "lock", FileType.Regular | 0x1A4);
        await one.FileLockAsync(fid, 1, exclusive: true, wait: true);
        await two.FileLockAsync(fid, 2, exclusive: true, wait: false);
        var waiting = two.FileLockAsync(fid, 2, exclusive: true, wait: true);
        await Wait.UntilAsync(() => two.WaitingLocks == 1, "the second waits");
        await one.FileUnlockAsync(fid, 1);
        await waiting.WithinBoundsAsync();
        await two.FileUnlockAsync(fid, 2);
    }
}
