using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Listing directories (05 section 4).</summary>
public sealed partial class ScriptedClient
{
    private const int ReadPageBytes = 1 << 20;

    /// <summary>All names, <c>.</c> and <c>..</c> included, in the order of their hashes, under an UPDATE lock.</summary>
    public async Task<List<DirectoryEntry>> ReadDirAsync(LuFid directory)
    {
        var held = NewLock(Mdt, ResourceOf(directory), LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update));
        await EnqueueAsync(held, LdlmFlags.HasIntent, lvbBytes: 0);
        try
        {
            var entries = new List<DirectoryEntry>();
            for (ulong hash = 0; hash != LuDirpage.End;)
            {
                hash = await ReadPagesAsync(directory, hash, entries);
            }

            return entries;
        }
        finally
        {
            Release(held);
        }
    }

    /// <summary>One MDS_READPAGE; returns the hash to go on from.</summary>
    private async Task<ulong> ReadPagesAsync(LuFid directory, ulong from, List<DirectoryEntry> entries)
    {
        var call = new RpcCall(Opcode.MdsReadpage, MdtBody.Size, 0);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body);
        body.Fid1 = directory;
        body.Valid = ObdMd.FlId;
        body.ObjectSize = from;
        body.Mode = (uint)(LuDirentAttrs.Fid | LuDirentAttrs.Type);
        body.Nlink = ReadPageBytes;
        var pages = new byte[ReadPageBytes];
        call.SetBulk(BulkDirection.Read, Portal.MdsBulk, new Memory<byte>[] { pages }, 1);
        using var reply = await SendAsync(Mdt, call);
        if (reply.BulkBytes is 0 || reply.BulkBytes % LuDirpage.PageSize != 0)
        {
            throw new RpcException(Errno.EPROTO, message: $"{reply.BulkBytes} bytes of directory pages");
        }

        var next = from;
        for (var start = 0; start < reply.BulkBytes; start += LuDirpage.PageSize)
        {
            next = ParsePage(pages.AsSpan(start, LuDirpage.PageSize), next, entries);
        }

        return next;
    }

    /// <summary>Checks a page against 05 section 4.2 to 4.4 and returns its end.</summary>
    private static ulong ParsePage(ReadOnlySpan<byte> page, ulong start, List<DirectoryEntry> entries)
    {
        var header = MemoryMarshal.Read<LuDirpage>(page);
        if (header.HashStart != start || (header.HashEnd <= start && header.HashEnd != LuDirpage.End && start != 0))
        {
            throw new RpcException(Errno.EPROTO, message: $"page [{header.HashStart:x}, {header.HashEnd:x}] where {start:x} was asked for");
        }

        var position = (header.Flags & LuDirpage.FlagEmpty) != 0 ? 0 : LuDirpage.Size;
        while (position != 0)
        {
            var entry = MemoryMarshal.Read<LuDirent>(page[position..]);
            var name = page.Slice(position + LuDirent.Size, entry.NameLength);
            var type = MemoryMarshal.Read<ushort>(page[(position + LuDirent.TypeOffset(entry.NameLength))..]);
            if (entry.Hash < header.HashStart || entry.Hash > header.HashEnd || entry.Hash >= 1UL << 63
                || (entries.Count > 0 && entry.Hash < entries[^1].Hash))
            {
                throw new RpcException(Errno.EPROTO, message: $"hash {entry.Hash:x} is out of order");
            }

            if (entry.NameLength > 0)
            {
                entries.Add(new DirectoryEntry(Encoding.UTF8.GetString(name), entry.Fid, type, entry.Hash));
            }

            position = entry.RecordLength == 0 ? 0 : position + entry.RecordLength;
        }

        return header.HashEnd;
    }
}
