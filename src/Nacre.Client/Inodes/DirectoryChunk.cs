using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>Consecutive pages of a directory as one MDS_READPAGE brought them (05 section 4), checked once.</summary>
internal sealed class DirectoryChunk
{
    private readonly byte[] _pages;
    private readonly List<(ulong Hash, int Offset)> _entries;

    private DirectoryChunk(byte[] pages, ulong start, ulong end, List<(ulong Hash, int Offset)> entries)
    {
        _pages = pages;
        Start = start;
        End = end;
        _entries = entries;
    }

    /// <summary>The hash that was asked for.</summary>
    public ulong Start { get; }

    /// <summary>The hash to go on from; <see cref="LuDirpage.End"/> when nothing comes after.</summary>
    public ulong End { get; }

    public int Bytes => _pages.Length;

    /// <summary>Entries, in ascending order of their hashes; <c>.</c> and <c>..</c> are left out.</summary>
    public int Count => _entries.Count;

    public ulong HashOf(int index) => _entries[index].Hash;

    /// <summary>The first entry whose hash is not below; <see cref="Count"/> when there is none.</summary>
    public int FirstFrom(ulong hash)
    {
        var (low, high) = (0, _entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _entries[middle].Hash < hash ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    public DirectoryEntry this[int index]
    {
        get
        {
            var at = _entries[index].Offset;
            var entry = MemoryMarshal.Read<LuDirent>(_pages.AsSpan(at));
            var hasType = (entry.Attrs & LuDirentAttrs.Type) != 0;
            var type = hasType ? MemoryMarshal.Read<ushort>(_pages.AsSpan(at + LuDirent.TypeOffset(entry.NameLength))) : (ushort)0;
            return new DirectoryEntry(_pages.AsMemory(at + LuDirent.Size, entry.NameLength), entry.Fid, type);
        }
    }

    /// <summary>Checks and keeps pages. Null when they are malformed: nothing a server sends makes this read beyond them.</summary>
    public static DirectoryChunk? TryParse(byte[] pages, ulong start)
    {
        var entries = new List<(ulong, int)>();
        var next = start;
        for (var page = 0; page < pages.Length; page += LuDirpage.PageSize)
        {
            var header = MemoryMarshal.Read<LuDirpage>(pages.AsSpan(page));
            if ((page > 0 && header.HashStart != next) || !TryParsePage(pages, page, header, entries))
            {
                return null;
            }

            next = header.HashEnd;
        }

        // A chunk that leads nowhere would be read for ever.
        return next > start || next == LuDirpage.End ? new DirectoryChunk(pages, start, next, entries) : null;
    }

    private static bool TryParsePage(byte[] pages, int page, in LuDirpage header, List<(ulong Hash, int Offset)> entries)
    {
        var at = (header.Flags & LuDirpage.FlagEmpty) != 0 ? LuDirpage.PageSize : LuDirpage.Size;
        while (at + LuDirent.Size <= LuDirpage.PageSize)
        {
            var entry = MemoryMarshal.Read<LuDirent>(pages.AsSpan(page + at));
            var end = at + ((entry.Attrs & LuDirentAttrs.Type) != 0
                ? LuDirent.TypeOffset(entry.NameLength) + sizeof(ushort)
                : LuDirent.Size + entry.NameLength);
            var inOrder = entries.Count == 0 || entry.Hash >= entries[^1].Hash;
            if (end > LuDirpage.PageSize || entry.NameLength > 255 || !inOrder || (entry.RecordLength != 0 && entry.RecordLength < end - at))
            {
                return false;
            }

            if (entry.NameLength > 0 && !IsSelfOrParent(pages.AsSpan(page + at + LuDirent.Size, entry.NameLength)))
            {
                entries.Add((entry.Hash, page + at));
            }

            if (entry.RecordLength == 0)
            {
                return true;
            }

            at += entry.RecordLength;
        }

        return at >= LuDirpage.PageSize;
    }

    private static bool IsSelfOrParent(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);
}

/// <param name="Type">S_IFMT bits; 0 when not told.</param>
internal readonly record struct DirectoryEntry(ReadOnlyMemory<byte> Name, LuFid Fid, uint Type);
