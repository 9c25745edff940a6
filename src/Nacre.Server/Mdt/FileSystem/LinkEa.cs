using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>
/// The names an inode has, in the form of trusted.link (05 section 13.3): a 24-byte little-endian header, then for each name a
/// big-endian record length, the parent's FID big-endian, and the name. At most 4096 bytes; names that do not fit are not
/// recorded, and the overflow time says so.
/// </summary>
internal static class LinkEa
{
    public const int MaxLength = 4096;
    private const uint Magic = 0x11eaf1df;
    private const int HeaderLength = 24;
    private const int RecordHeader = 18;

    /// <summary>The first name of an inode that has none.</summary>
    public static byte[] Create(long parent, ReadOnlySpan<byte> name)
    {
        var links = new byte[HeaderLength + RecordHeader + name.Length];
        WriteRecord(links.AsSpan(HeaderLength), parent, name);
        WriteHeader(links, 1, 0);
        return links;
    }

    /// <summary>One name more.</summary>
    /// <param name="now">Seconds since 1970, noted when the name does not fit.</param>
    public static byte[] Add(byte[] links, long parent, ReadOnlySpan<byte> name, long now)
    {
        if (links.Length == 0)
        {
            return Create(parent, name);
        }
        int length = RecordHeader + name.Length;
        bool fits = links.Length + length <= MaxLength;
        var grown = new byte[fits ? links.Length + length : links.Length];
        links.CopyTo(grown, 0);
        if (fits)
        {
            WriteRecord(grown.AsSpan(links.Length), parent, name);
            WriteHeader(grown, Count(links) + 1, OverflowTime(links));
        }
        else
        {
            WriteHeader(grown, Count(links), Math.Max(1, (uint)now));
        }
        return grown;
    }

    /// <summary>One name less; empty when it was the last. A name that was not recorded changes nothing.</summary>
    public static byte[] Remove(byte[] links, long parent, ReadOnlySpan<byte> name)
    {
        int offset = HeaderLength;
        while (TryRead(links, ref offset, out long recordParent, out var recordName))
        {
            if (recordParent != parent || !recordName.SequenceEqual(name))
            {
                continue;
            }
            int length = RecordHeader + recordName.Length;
            if (links.Length == HeaderLength + length && OverflowTime(links) == 0)
            {
                return [];
            }
            var shrunk = new byte[links.Length - length];
            links.AsSpan(0, offset - length).CopyTo(shrunk);
            links.AsSpan(offset).CopyTo(shrunk.AsSpan(offset - length));
            WriteHeader(shrunk, Count(links) - 1, OverflowTime(links));
            return shrunk;
        }
        return links;
    }

    /// <summary>Inode number of the parent in the first record; 0 when there is none.</summary>
    public static long FirstParent(byte[] links)
    {
        int offset = HeaderLength;
        return TryRead(links, ref offset, out long parent, out _) ? parent : 0;
    }

    /// <summary>Name number <paramref name="index"/> from 0.</summary>
    public static bool TryGet(byte[] links, uint index, out long parent, out ReadOnlySpan<byte> name)
    {
        int offset = HeaderLength;
        while (TryRead(links, ref offset, out parent, out name))
        {
            if (index-- == 0)
            {
                return true;
            }
        }
        return false;
    }

    public static uint Count(byte[] links) => links.Length == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(links.AsSpan(4));

    private static uint OverflowTime(byte[] links) => BinaryPrimitives.ReadUInt32LittleEndian(links.AsSpan(16));

    private static bool TryRead(byte[] links, scoped ref int offset, out long parent, out ReadOnlySpan<byte> name)
    {
        parent = 0;
        name = default;
        if (offset + RecordHeader > links.Length)
        {
            return false;
        }
        var record = links.AsSpan(offset);
        int length = BinaryPrimitives.ReadUInt16BigEndian(record);
        if (length < RecordHeader || length > record.Length)
        {
            return false;
        }
        var fid = new LuFid(BinaryPrimitives.ReadUInt64BigEndian(record[2..]), BinaryPrimitives.ReadUInt32BigEndian(record[10..]),
            BinaryPrimitives.ReadUInt32BigEndian(record[14..]));
        _ = InodeNumber.TryOf(fid, out parent);
        name = record[RecordHeader..length];
        offset += length;
        return true;
    }

    private static void WriteRecord(Span<byte> record, long parent, ReadOnlySpan<byte> name)
    {
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)(RecordHeader + name.Length));
        InodeNumber.ToFid(parent).WriteBigEndian(record[2..]);
        name.CopyTo(record[RecordHeader..]);
    }

    private static void WriteHeader(Span<byte> links, uint count, uint overflowTime)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(links, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(links[4..], count);
        BinaryPrimitives.WriteUInt64LittleEndian(links[8..], (ulong)links.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(links[16..], overflowTime);
        BinaryPrimitives.WriteUInt32LittleEndian(links[20..], 0);
    }
}
