using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>Identifier of a log: opaque to readers, which echo it. 20 bytes (04 section 5.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlogLogid
{
    public const int Size = 20;

    /// <summary>Object number; never 0.</summary>
    public ulong ObjectId;
    public ulong ObjectSequence;
    public uint Generation;
}

/// <summary>Head of every log record. 16 bytes (04 section 5.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlogRecHdr
{
    public const int Size = 16;

    /// <summary>Bytes of the whole record: header, payload, padding and tail.</summary>
    public uint Len;
    public uint Index;
    public LlogRecordType Type;
    public uint Id;
}

/// <summary>End of every log record, repeating its length and index. 8 bytes (04 section 5.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlogRecTail
{
    public const int Size = 8;

    public uint Len;
    public uint Index;
}

/// <summary>Record types (04 section 5.1).</summary>
public enum LlogRecordType : uint
{
    Padding = 0x1060_0000,
    Configuration = 0x1062_0000,
    LogHeader = 0x1064_5539,
}

/// <summary>Fixed part of <c>llog_log_hdr</c>, before its bitmap. 88 bytes (04 section 5.2).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlogLogHdr
{
    public const int Size = 88;

    public LlogRecHdr Rec;

    /// <summary>Time of creation, seconds since 1970.</summary>
    public long Timestamp;

    /// <summary>Live records + 1 (the header counts).</summary>
    public uint Count;
    public uint BitmapOffset;

    /// <summary>Shortest record written so far in bytes, 0 if none: a hint to readers.</summary>
    public uint SmallestRecord;
    public LlogFlags Flags;
    public uint CatalogIndex;
    public ObdUuid TargetUuid;
    public uint Reserved;
}

/// <summary>Kinds of log (04 section 5.2).</summary>
[Flags]
public enum LlogFlags : uint
{
    None = 0,
    ZapWhenEmpty = 0x1,
    Catalog = 0x2,
    Plain = 0x4,
    FixedSize = 0x10,
}

/// <summary>Body of the LLOG_ORIGIN_HANDLE_* RPCs. 48 bytes (04 section 4.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlogdBody
{
    public const int Size = 48;

    public LlogLogid Logid;
    public uint Context;
    public LlogFlags LogFlags;

    /// <summary>Wanted record index; 0 means whatever comes next.</summary>
    public uint Index;

    /// <summary>Request: highest index seen. Reply: index of the last record returned.</summary>
    public uint SavedIndex;
    public uint Len;

    /// <summary>Request: file offset to search from. Reply: file offset just behind the returned data.</summary>
    public ulong CurrentOffset;
}

/// <summary>Sizes of the log format (04 section 5).</summary>
public static class LlogFormat
{
    /// <summary>Header and data chunks are this many bytes; no record crosses a multiple of it.</summary>
    public const int ChunkSize = 8192;

    /// <summary>Bits in the header's bitmap: a log holds one record less.</summary>
    public const int BitmapBits = 64768;

    /// <summary>Contexts from this number on do not exist (04 section 4.1).</summary>
    public const uint MaxContexts = 18;
}
