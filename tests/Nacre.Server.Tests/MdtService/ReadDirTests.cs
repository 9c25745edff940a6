using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt;
using Nacre.Server.Mdt.FileSystem;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Directory pages (05 section 4).</summary>
public class ReadDirTests
{
    [Fact]
    public async Task Every_name_is_listed_once_in_order()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var directory = await client.MkdirAsync(Root, "d");
        var expected = new HashSet<string> { ".", ".." };
        for (int i = 0; i < 300; i++)
        {
            string name = $"entry-{i:d3}-" + new string('x', i % 40);
            expected.Add(name);
            await client.MkdirAsync(directory, name);
        }
        foreach (uint room in new uint[] { 4096, 12288, 1 << 20 })
        {
            var entries = await client.ReadDirectoryAsync(directory, room);
            Assert.Equal(expected.Count, entries.Count);
            Assert.Equal(expected, entries.Select(e => e.Name).ToHashSet());
            Assert.Equal(entries.OrderBy(e => e.Hash), entries);
            Assert.Equal([".", ".."], entries.Take(2).Select(e => e.Name));
            Assert.Equal(directory, entries[0].Fid);
            Assert.All(entries, e => Assert.Equal(0x4000u, e.Type));
            Assert.All(entries.Skip(2), e => Assert.InRange(e.Hash, 2ul, 0x7ffffffffffffffeul));
        }
    }

    [Fact]
    public async Task A_listing_goes_on_where_it_was_after_entries_came_and_went()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var directory = await client.MkdirAsync(Root, "d");
        for (int i = 0; i < 200; i++)
            await client.MkdirAsync(directory, $"{i:d4}-{new string('y', 20)}");
        var first = await client.ReadPagesAsync(directory, 0, 4096);
        var seen = EntriesOf(first);
        await client.UnlinkAsync(directory, seen[^1].Name, 0x4000);
        await client.MkdirAsync(directory, "new");
        ulong next = MemoryMarshal.Read<LuDirpage>(first).HashEnd;
        var rest = new List<Entry>();
        while (next != LuDirpage.End)
        {
            var page = await client.ReadPagesAsync(directory, next, 4096);
            rest.AddRange(EntriesOf(page));
            next = MemoryMarshal.Read<LuDirpage>(page).HashEnd;
        }
        var all = seen.Concat(rest).Where(e => e.Name != "new").Select(e => e.Name).ToList();
        Assert.Equal(202, all.Count);
        Assert.Equal(202, all.Distinct().Count());
    }

    [Fact]
    public async Task Wrong_objects_are_refused()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var file = await client.CreateFileAsync(Root, "f");
        var body = client.Ask(file, ObdMd.None);
        body.Nlink = 4096;
        Assert.Equal(-Errno.ENOTDIR, (await client.SendAsync(Opcode.MdsReadpage, Portal.MdsReadPage, [Bytes(body), []])).Status);
        body = client.Ask(new LuFid(0x200000401, 9999), ObdMd.None);
        body.Nlink = 4096;
        Assert.Equal(-Errno.ENOENT, (await client.SendAsync(Opcode.MdsReadpage, Portal.MdsReadPage, [Bytes(body), []])).Status);
    }

    [Fact]
    public void Pages_of_the_genuine_server_are_made_anew_byte_for_byte()
    {
        int compared = 0;
        foreach (string capture in new[] { "metadata", "errors", "two-clients", "xattr-layout" })
        {
            foreach (var rpc in CaptureRpcs.Read(capture).Where(r => r.Opcode == Opcode.MdsReadpage))
            {
                foreach (byte[] pages in rpc.Bulk)
                {
                    for (int at = 0; at < pages.Length; at += LuDirpage.PageSize, compared++)
                        CompareWithOurs(pages[at..(at + LuDirpage.PageSize)]);
                }
            }
        }
        Assert.True(compared > 10, $"only {compared} pages");
    }

    /// <summary>Everything but what 05 leaves open: padding, which a genuine server does not clear, LDF_COLLIDE at the end of a
    /// directory, and the ".." of a root without FID.</summary>
    private static void CompareWithOurs(byte[] genuine)
    {
        var head = MemoryMarshal.Read<LuDirpage>(genuine);
        var entries = EntriesOf(genuine);
        var ours = new byte[LuDirpage.PageSize];
        var writer = new DirPageWriter(ours, head.HashStart, LuDirentAttrs.Type);
        foreach (var entry in entries)
        {
            Assert.True(writer.Add(new DirEntry
            {
                Cookie = entry.Hash,
                Fid = entry.Fid,
                Type = entry.Type,
                Name = System.Text.Encoding.UTF8.GetBytes(entry.Name),
            }));
        }
        writer.Finish(head.HashEnd == LuDirpage.End ? null : head.HashEnd);
        Assert.Equal(head.HashEnd, MemoryMarshal.Read<LuDirpage>(ours).HashEnd);
        Assert.Equal(entries, EntriesOf(ours));
        for (int at = LuDirpage.Size; ;)
        {
            var (theirs, mine) = (MemoryMarshal.Read<LuDirent>(genuine.AsSpan(at)), MemoryMarshal.Read<LuDirent>(ours.AsSpan(at)));
            Assert.Equal((theirs.RecordLength, theirs.NameLength), (mine.RecordLength, mine.NameLength));
            int type = at + LuDirent.TypeOffset(theirs.NameLength);
            Assert.Equal(genuine[at..(at + LuDirent.Size + theirs.NameLength - 4)][..24], ours[at..(at + LuDirent.Size + theirs.NameLength - 4)][..24]);
            Assert.Equal(genuine[type..(type + 2)], ours[type..(type + 2)]);
            if (theirs.RecordLength == 0)
                return;
            at += theirs.RecordLength;
        }
    }
}
