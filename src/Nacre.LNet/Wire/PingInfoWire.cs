using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>Head of a ping info (01 section 13.2). 16 bytes, then <see cref="InterfaceCount"/> entries.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct PingInfoHeader
{
    public const int Size = 16;
    public const uint ExpectedMagic = 0x7069_6E67;

    public uint Magic;
    public PingFeatures Features;
    public uint Pid;

    /// <summary>Entries, the loopback one included.</summary>
    public uint InterfaceCount;
}

/// <summary>An interface in a ping info. 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct PingInfoEntry
{
    public const int Size = 16;

    public Nid Nid;
    public uint Status;
    public uint Unused;
}

/// <summary>Reads and writes ping infos.</summary>
public static class PingInfoWire
{
    /// <summary>Match bits of LNet's own entry on portal 0 (01 section 13.1).</summary>
    public const ulong MatchBits = 0x8000_0000_0000_0000;

    /// <summary>Portal of pings and pushes.</summary>
    public const int Portal = 0;

    /// <summary>Most interfaces a ping info may list.</summary>
    public const int MaxInterfaces = 200;

    /// <summary>Bytes of the longest ping info.</summary>
    public const int MaxSize = PingInfoHeader.Size + MaxInterfaces * PingInfoEntry.Size;

    /// <summary>Room a kernel offers at first: 16 entries.</summary>
    public const int UsualSize = PingInfoHeader.Size + 16 * PingInfoEntry.Size;

    /// <summary>The bytes of a one-NID node: loopback first, then the NID, up. A default kernel's features.</summary>
    public static byte[] Encode(Nid local, uint pid, uint sequence)
    {
        var bytes = new byte[PingInfoHeader.Size + 2 * PingInfoEntry.Size];
        ref var header = ref MemoryMarshal.AsRef<PingInfoHeader>(bytes.AsSpan());
        header.Magic = PingInfoHeader.ExpectedMagic;
        header.Features = PingFeatures.Default;
        header.Pid = pid;
        header.InterfaceCount = 2;
        var entries = MemoryMarshal.Cast<byte, PingInfoEntry>(bytes.AsSpan(PingInfoHeader.Size));
        entries[0] = new PingInfoEntry { Nid = Nid.Loopback, Status = sequence };
        entries[1] = new PingInfoEntry { Nid = local, Status = PingInterface.Up };
        return bytes;
    }

    /// <summary>
    /// Applies the rules of 01 section 13.2. Bytes behind the listed entries are ignored, entries that were cut off are left
    /// out.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out LNetPingInfo info)
    {
        info = null!;
        if (bytes.Length < PingInfoHeader.Size + PingInfoEntry.Size) return false;
        var header = MemoryMarshal.Read<PingInfoHeader>(bytes);
        if (header.Magic != PingInfoHeader.ExpectedMagic || (header.Features & PingFeatures.NiStatus) == 0) return false;
        if (header.InterfaceCount is 0 or > MaxInterfaces) return false;

        bytes = bytes[PingInfoHeader.Size..];
        var listed = Math.Min((int)header.InterfaceCount, bytes.Length / PingInfoEntry.Size);
        var interfaces = ImmutableArray.CreateBuilder<PingInterface>(listed);
        foreach (ref readonly var entry in MemoryMarshal.Cast<byte, PingInfoEntry>(bytes)[..listed])
            interfaces.Add(new PingInterface(entry.Nid, entry.Status));
        if (interfaces[0].Nid != Nid.Loopback) return false;
        info = new LNetPingInfo(header.Features, header.Pid, interfaces.MoveToImmutable());
        return true;
    }
}
