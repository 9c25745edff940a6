using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>Fixed part of <c>lustre_msg_v2</c>; the buffer lengths follow it (02 section 2.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MessageHeader
{
    /// <summary>Bytes before <c>lm_buflens</c>.</summary>
    public const int Size = 32;

    /// <summary>Value of <see cref="Magic"/> as a little-endian peer sends it.</summary>
    public const uint MagicV2 = 0x0BD00BD3;

    /// <summary>What <see cref="Magic"/> looks like from a big-endian peer. Such a peer is refused (02 section 2.4).</summary>
    public const uint MagicV2Swapped = 0xD30BD00B;

    /// <summary>Low bits of <see cref="SecurityFlavour"/> that select the flavour; 0 is the null flavour (02 section 2.6).</summary>
    public const uint FlavourMask = 0x000FFFFF;

    /// <summary>Most buffers a message may have.</summary>
    public const int MaxBuffers = 32;

    /// <summary>Most bytes of one rounded buffer, and of a whole message (02 section 2.3).</summary>
    public const int MaxMessageSize = 1_024_000;

    public uint BufferCount;
    public uint SecurityFlavour;
    public uint Magic;
    public uint ReplySize;
    public uint Checksum;
    public MessageFlags Flags;
    public uint Padding2;
    public uint Padding3;
}

/// <summary><c>lm_flags</c> of requests (02 section 2.5). Replies carry none.</summary>
[Flags]
public enum MessageFlags : uint
{
    None = 0,

    /// <summary>The sender understands early replies and wants its final reply at offset 224 (02 section 6.4).</summary>
    AdaptiveTimeouts = 0x1,

    /// <summary>Set by every client after connect; without effect.</summary>
    ChecksumIncompat18 = 0x2,
}

/// <summary>Upper byte of <c>lm_secflvr</c>: what kind of node sent a request (02 section 2.6).</summary>
public enum SecurityPart : byte
{
    Client = 0,
    Mdt = 1,
    Ost = 2,
    Mgc = 3,
    Mgs = 4,
    Any = 0xFF,
}

/// <summary>Sizes and offsets inside a message (02 section 2.2).</summary>
public static class MessageLayout
{
    /// <summary>
    /// Size of a message that has only the body, which is also where the final reply goes when the request understood
    /// early replies (02 section 6.4).
    /// </summary>
    public const int EarlyReplySize = 224;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Round8(int length) => (length + 7) & ~7;

    /// <summary>Offset of buffer 0 in a message of <paramref name="bufferCount"/> buffers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HeaderSize(int bufferCount) => Round8(MessageHeader.Size + (sizeof(uint) * bufferCount));

    /// <summary>Size of a message with these buffer lengths, the body included in them.</summary>
    public static int TotalSize(ReadOnlySpan<int> lengths)
    {
        var total = HeaderSize(lengths.Length);
        foreach (var length in lengths)
        {
            total += Round8(length);
        }

        return total;
    }
}
