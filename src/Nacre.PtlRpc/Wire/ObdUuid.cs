using System.Runtime.CompilerServices;
using System.Text;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>obd_uuid</c>, 40 bytes inside structures. UUID <i>buffers</i> of a message have 39 (02 section 9.1).</summary>
[InlineArray(Size)]
public struct ObdUuid
{
    public const int Size = 40;

    /// <summary>Length of the TGTUUID and CLUUID buffers of a connect.</summary>
    public const int BufferSize = 39;

    private byte _first;

    /// <summary>The text before the NUL.</summary>
    public override readonly string ToString()
    {
        ReadOnlySpan<byte> bytes = this;
        var end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
    }

    /// <exception cref="ArgumentException">Longer than 39 characters.</exception>
    public static ObdUuid FromString(string text)
    {
        var uuid = default(ObdUuid);
        Write(text, (Span<byte>)uuid);
        return uuid;
    }

    /// <summary>Fills a zeroed buffer with the text; at least one NUL remains.</summary>
    /// <exception cref="ArgumentException">The text and its NUL do not fit.</exception>
    public static void Write(string text, Span<byte> destination)
    {
        if (text.Length >= destination.Length)
        {
            throw new ArgumentException($"'{text}' is longer than {destination.Length - 1} characters", nameof(text));
        }

        destination.Clear();
        Encoding.ASCII.GetBytes(text, destination);
    }
}
