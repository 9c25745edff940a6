namespace Nacre.Bench.Loads;

/// <summary>Names of one length, so that a request's size never changes: eight hexadecimal digits.</summary>
internal static class FileName
{
    private const int Length = 8;

    /// <summary>With the NUL at its end.</summary>
    public const int BufferSize = Length + 1;

    public static void Write(uint number, Span<byte> buffer)
    {
        for (var i = Length - 1; i >= 0; i--, number >>= 4)
        {
            buffer[i] = "0123456789abcdef"u8[(int)(number & 15)];
        }

        buffer[Length] = 0;
    }
}
