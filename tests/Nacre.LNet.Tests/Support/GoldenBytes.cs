namespace Nacre.LNet.Tests.Support;

/// <summary>The byte strings of 01 section 19: client 192.168.1.10@tcp, server 192.168.1.20@tcp.</summary>
internal static class GoldenBytes
{
    public const ulong ClientIncarnation = 0x17a1b2c3d4e5f601;
    public const ulong ServerIncarnation = 0x17a1b2c3d4e5f777;

    public static readonly byte[] AcceptorRequest = Hex.Parse("00 71 ce ac 01 00 00 00 14 01 a8 c0 00 00 02 00");

    public static readonly byte[] ClientHello = Hex.Parse(
        """
        63 69 72 45 03 00 00 00 0a 01 a8 c0 00 00 02 00
        14 01 a8 c0 00 00 02 00 39 30 00 00 00 00 00 00
        01 f6 e5 d4 c3 b2 a1 17 00 00 00 00 00 00 00 00
        01 00 00 00 00 00 00 00
        """);

    public static readonly byte[] ServerHello = Hex.Parse(
        """
        63 69 72 45 03 00 00 00 14 01 a8 c0 00 00 02 00
        0a 01 a8 c0 00 00 02 00 39 30 00 00 00 00 00 00
        77 f7 e5 d4 c3 b2 a1 17 00 00 00 00 00 00 00 00
        01 00 00 00 00 00 00 00
        """);

    public static readonly byte[] Put = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 14 01 a8 c0 00 00 02 00
        0a 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        01 00 00 00 10 00 00 00 ff ff ff ff ff ff ff ff
        ff ff ff ff ff ff ff ff 40 9a 78 56 34 12 06 00
        00 00 00 00 00 00 00 00 1a 00 00 00 00 00 00 00
        10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f
        """);

    public static readonly byte[] PingGet = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 14 01 a8 c0 00 00 02 00
        0a 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        02 00 00 00 00 00 00 00 00 00 e6 d4 c3 b2 a1 17
        15 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80
        00 00 00 00 00 00 00 00 10 01 00 00 00 00 00 00
        """);

    public static readonly byte[] PingReply = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 0a 01 a8 c0 00 00 02 00
        14 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        03 00 00 00 30 00 00 00 00 00 e6 d4 c3 b2 a1 17
        15 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        67 6e 69 70 1e 00 00 00 39 30 00 00 02 00 00 00
        00 00 00 00 00 00 09 00 01 00 00 00 00 00 00 00
        14 01 a8 c0 00 00 02 00 de c0 aa 15 00 00 00 00
        """);

    public static readonly byte[] Push = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 14 01 a8 c0 00 00 02 00
        0a 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        01 00 00 00 30 00 00 00 00 00 e6 d4 c3 b2 a1 17
        25 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        67 6e 69 70 1e 00 00 00 39 30 00 00 02 00 00 00
        00 00 00 00 00 00 09 00 01 00 00 00 00 00 00 00
        0a 01 a8 c0 00 00 02 00 de c0 aa 15 00 00 00 00
        """);

    public static readonly byte[] PushAck = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 0a 01 a8 c0 00 00 02 00
        14 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        00 00 00 00 00 00 00 00 00 00 e6 d4 c3 b2 a1 17
        25 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80
        30 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        """);

    public static readonly byte[] BulkGet = Hex.Parse(
        """
        c1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 0a 01 a8 c0 00 00 02 00
        14 01 a8 c0 00 00 02 00 39 30 00 00 39 30 00 00
        02 00 00 00 00 00 00 00 01 00 00 00 00 00 5a 5a
        01 01 00 00 00 00 00 00 40 9a 78 56 34 12 06 00
        08 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00
        """);

    public static readonly byte[] ZcAckOf2 = Hex.Parse("c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00");
    public static readonly byte[] Keepalive = Hex.Parse("c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00");
}
