using System.Globalization;

namespace Nacre.PtlRpc.Tests.Wire;

/// <summary>The hand-assembled messages of 02 section 18.</summary>
internal static class GoldenMessages
{
    public const ulong ConnectXid = 0x0006500000000040;
    public const ulong PingXid = 0x0006500000000100;
    public const ulong ExportHandle = 0x5d3c9a7711e0f00b;
    public const ulong ClientHandle = 0x8c1f3e0a5b7d2411;
    public const string ClientUuid = "4a7d1ed4-1474-4e53-8ff6-0a3c6d2b9e01";

    public static byte[] ConnectRequest { get; } = Parse(520, """
        0000  06 00 00 00 00 00 00 03 d3 0b d0 0b 20 02 00 00
        0010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0020  b8 00 00 00 27 00 00 00 27 00 00 00 08 00 00 00
        0030  c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0040  67 12 00 00 03 00 01 00 fa 00 00 00 80 0d 00 00
        0050  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0070  00 00 00 00 20 00 00 00 01 00 00 00 05 00 00 00
        0080  04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00f0  4d 47 53 00 00 00 00 00 00 00 00 00 00 00 00 00
        0110  00 00 00 00 00 00 00 00 34 61 37 64 31 65 64 34
        0120  2d 31 34 37 34 2d 34 65 35 33 2d 38 66 66 36 2d
        0130  30 61 33 63 36 64 32 62 39 65 30 31 00 00 00 00
        0140  11 24 7d 5b 0a 3e 1f 8c 20 20 00 01 10 41 00 a0
        0150  00 08 0f 02 00 00 00 00 00 00 00 00 00 00 00 00
        0190  00 00 00 00 00 00 00 00 00 00 10 00 00 00 00 00
        """);

    public static byte[] ConnectReply { get; } = Parse(416, """
        0000  02 00 00 00 00 00 00 00 d3 0b d0 0b 00 00 00 00
        0020  b8 00 00 00 c0 00 00 00 0b f0 e0 11 77 9a 3c 5d
        0030  69 12 00 00 03 00 00 00 fa 00 00 00 00 00 00 00
        0060  00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00
        0070  01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00e0  20 00 00 01 10 00 00 00 00 08 0f 02 00 00 00 00
        """);

    public static byte[] PingRequest { get; } = Parse(224, """
        0000  01 00 00 00 00 00 00 03 d3 0b d0 0b e0 00 00 00
        0010  00 00 00 00 03 00 00 00 00 00 00 00 00 00 00 00
        0020  b8 00 00 00 00 00 00 00 0b f0 e0 11 77 9a 3c 5d
        0030  67 12 00 00 03 00 01 00 90 01 00 00 e5 0c 00 00
        0040  ff 00 00 00 00 50 06 00 00 00 00 00 00 00 00 00
        0060  00 00 00 00 00 00 00 00 01 00 00 00 06 00 00 00
        """);

    public static byte[] PingReply { get; } = Parse(224, """
        0000  01 00 00 00 00 00 00 00 d3 0b d0 0b 00 00 00 00
        0020  b8 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0030  69 12 00 00 03 00 00 00 90 01 00 00 00 00 00 00
        0060  00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00
        0070  01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """);

    public static byte[] EarlyReply { get; } = Parse(224, """
        0000  01 00 00 00 00 00 00 00 d3 0b d0 0b 00 00 00 00
        0010  ef 90 6b 70 00 00 00 00 00 00 00 00 00 00 00 00
        0020  b8 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        0030  69 12 00 00 03 00 00 00 24 00 00 00 00 00 00 00
        0060  00 00 00 00 00 00 00 00 00 00 00 00 24 00 00 00
        0070  06 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """);

    /// <summary>Lines that are not written are zeros.</summary>
    private static byte[] Parse(int size, string dump)
    {
        var bytes = new byte[size];
        foreach (var line in dump.Split('\n'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var offset = int.Parse(words[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            for (var i = 1; i < words.Length && offset + i - 1 < size; i++)
            {
                bytes[offset + i - 1] = byte.Parse(words[i], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            }
        }

        return bytes;
    }
}
