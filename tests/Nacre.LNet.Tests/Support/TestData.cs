namespace Nacre.LNet.Tests.Support;

internal static class TestData
{
    /// <summary>Bytes that differ from place to place and from seed to seed.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
