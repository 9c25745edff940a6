using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>obd_connect_data</c>, what the two ends of a connection agree on (02 section 10.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct ObdConnectData
{
    public const int Size = 192;

    /// <summary>Bytes the oldest clients send.</summary>
    public const int SizeV1 = 72;

    /// <summary><see cref="Version"/> of a 2.15.8 peer; a server that differs from its client makes it warn.</summary>
    public const uint Version2158 = 0x020F0800;

    public ConnectFlags Flags;
    public uint Version;
    public uint Grant;
    public uint Index;
    public uint BrwSize;
    public ulong IbitsKnown;
    public byte GrantBlkBits;
    public byte GrantInoBits;
    public ushort GrantTaxKb;
    public uint GrantMaxBlks;
    public ulong Transno;
    public uint Group;
    public uint ChecksumTypes;
    public uint MaxEaSize;
    public uint Instance;
    public ulong MaxBytes;
    public ushort MaxModRpcs;
    public ushort Padding0;
    public uint Padding1;
    public ConnectFlags2 Flags2;
    public PaddingArray Padding3;

    public readonly bool Has(ConnectFlags flags) => (Flags & flags) == flags;

    /// <summary>Word 2 counts only where <see cref="ConnectFlags.Flags2"/> is set.</summary>
    public readonly bool Has(ConnectFlags2 flags) => Has(ConnectFlags.Flags2) && (Flags2 & flags) == flags;

    /// <summary>
    /// Reads a structure of any size: missing fields are 0, surplus bytes are ignored. Word 2 is cleared where
    /// FLAGS2 is not set.
    /// </summary>
    public static void Read(ReadOnlySpan<byte> buffer, out ObdConnectData data)
    {
        data = default;
        buffer[..Math.Min(buffer.Length, Size)].CopyTo(MemoryMarshal.AsBytes(new Span<ObdConnectData>(ref data)));
        if (!data.Has(ConnectFlags.Flags2))
        {
            data.Flags2 = ConnectFlags2.None;
        }
    }

    [InlineArray(13)]
    public struct PaddingArray
    {
        private ulong _first;
    }
}
