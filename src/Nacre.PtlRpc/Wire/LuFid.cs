using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>lu_fid</c>, 16 bytes: the identity of a file or object. Ordered by sequence, object id, version.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct LuFid(ulong sequence, uint objectId, uint version = 0) : IEquatable<LuFid>, IComparable<LuFid>
{
    public const int Size = 16;

    /// <summary>The root directory of every file system.</summary>
    public static readonly LuFid Root = new(0x200000007, 1);

    public readonly ulong Sequence = sequence;
    public readonly uint ObjectId = objectId;
    public readonly uint Version = version;

    public bool IsZero => Sequence == 0 && ObjectId == 0 && Version == 0;

    public bool Equals(LuFid other) => Sequence == other.Sequence && ObjectId == other.ObjectId && Version == other.Version;

    public override bool Equals(object? obj) => obj is LuFid other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Sequence, ObjectId, Version);

    public int CompareTo(LuFid other)
    {
        var order = Sequence.CompareTo(other.Sequence);
        if (order == 0)
        {
            order = ObjectId.CompareTo(other.ObjectId);
        }

        return order != 0 ? order : Version.CompareTo(other.Version);
    }

    /// <summary>Writes the FID as it is stored in extended attributes (<c>trusted.lma</c>, linkEA): big-endian.</summary>
    public void WriteBigEndian(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], ObjectId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[12..], Version);
    }

    /// <summary>The customary text form, <c>[0x200000401:0x1:0x0]</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"[0x{Sequence:x}:0x{ObjectId:x}:0x{Version:x}]");

    /// <summary>Reads <c>[0x200000401:0x1:0x0]</c>, with or without brackets and 0x.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out LuFid fid)
    {
        fid = default;
        text = text.Trim();
        if (text is ['[', .., ']'])
        {
            text = text[1..^1];
        }

        Span<Range> parts = stackalloc Range[4];
        if (text.Split(parts, ':') != 3
            || !TryParseHex(text[parts[0]], ulong.MaxValue, out var sequence)
            || !TryParseHex(text[parts[1]], uint.MaxValue, out var objectId)
            || !TryParseHex(text[parts[2]], uint.MaxValue, out var version))
        {
            return false;
        }

        fid = new LuFid(sequence, (uint)objectId, (uint)version);
        return true;
    }

    /// <exception cref="FormatException">The text is not a FID.</exception>
    public static LuFid Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var fid) ? fid : throw new FormatException($"'{text}' is not a FID such as [0x200000401:0x1:0x0]");

    public static bool operator ==(LuFid left, LuFid right) => left.Equals(right);

    public static bool operator !=(LuFid left, LuFid right) => !left.Equals(right);

    public static bool operator <(LuFid left, LuFid right) => left.CompareTo(right) < 0;

    public static bool operator >(LuFid left, LuFid right) => left.CompareTo(right) > 0;

    private static bool TryParseHex(ReadOnlySpan<char> text, ulong limit, out ulong value)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            text = text[2..];
        }

        return ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value <= limit;
    }
}
