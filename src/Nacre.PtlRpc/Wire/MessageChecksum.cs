using System.IO.Hashing;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>lm_cksum</c>, which only early replies carry (02 section 2.7).</summary>
public static class MessageChecksum
{
    /// <summary>CRC-32 without the final inversion, over the <c>lm_buflens[0]</c> bytes of buffer 0.</summary>
    public static uint OfBody(ReadOnlySpan<byte> body) => ~Crc32.HashToUInt32(body);
}
