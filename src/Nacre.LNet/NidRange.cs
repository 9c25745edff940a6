using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Nacre.LNet;

/// <summary>
/// NIDs of network <c>tcp</c> by a pattern of four octets, each a number or a range: <c>10.0.1.6@tcp</c>, <c>10.0.[2-10].[1-255]@tcp</c>.
/// </summary>
public sealed class NidRange
{
    private const string Network = "@tcp";
    private const int Octets = 4;

    private readonly (byte First, byte Last)[] _octets;
    private readonly string _text;

    private NidRange((byte, byte)[] octets, string text) => (_octets, _text) = (octets, text);

    /// <exception cref="FormatException">The text is no such pattern.</exception>
    public static NidRange Parse(string text) => TryParse(text, out var range)
        ? range
        : throw new FormatException($"'{text}' is no range of NIDs such as 10.0.[2-10].[1-255]@tcp");

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out NidRange? range)
    {
        range = null;
        if (text is null || !text.EndsWith(Network, StringComparison.Ordinal))
        {
            return false;
        }

        var parts = text[..^Network.Length].Split('.');
        var octets = new (byte, byte)[Octets];
        if (parts.Length != Octets)
        {
            return false;
        }

        for (var i = 0; i < Octets; i++)
        {
            if (!TryParseOctet(parts[i], out octets[i]))
            {
                return false;
            }
        }

        range = new NidRange(octets, text);
        return true;
    }

    public bool Contains(Nid nid)
    {
        if (!nid.IsTcp || nid.NetworkNumber != 0)
        {
            return false;
        }

        var address = (uint)nid.Value;
        for (var i = 0; i < Octets; i++)
        {
            var octet = (byte)(address >> (8 * (Octets - 1 - i)));
            if (octet < _octets[i].First || octet > _octets[i].Last)
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => _text;

    private static bool TryParseOctet(ReadOnlySpan<char> text, out (byte First, byte Last) octet)
    {
        octet = default;
        if (!text.StartsWith('['))
        {
            var isNumber = TryParseNumber(text, out var number);
            octet = (number, number);
            return isNumber;
        }

        var dash = text.IndexOf('-');
        if (dash < 0 || !text.EndsWith(']')
            || !TryParseNumber(text[1..dash], out var first) || !TryParseNumber(text[(dash + 1)..^1], out var last))
        {
            return false;
        }

        octet = (first, last);
        return first <= last;
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, out byte number) =>
        byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
