using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nacre.LNet;

/// <summary>
/// A network identifier: bits 55..48 the network type, 47..32 the network number, 31..0 the address (IPv4, first octet most
/// significant). Its 64-bit little-endian image is what travels (01 section 2.1). Text forms: 01 section 2.2.
/// </summary>
public readonly record struct Nid(ulong Value)
{
    /// <summary>Network type of TCP (SOCKLND).</summary>
    public const byte TcpType = 2;

    /// <summary>Network type of the in-node loopback.</summary>
    public const byte LoopbackType = 9;

    /// <summary>The wildcard, printed as <c>&lt;?&gt;</c>.</summary>
    public static readonly Nid Any = new(ulong.MaxValue);

    /// <summary><c>0@lo</c>; never seen on TCP except inside a ping info.</summary>
    public static readonly Nid Loopback = new((ulong)LoopbackType << 48);

    /// <summary>Type and number of the network: the upper 32 bits.</summary>
    public uint Network => (uint)(Value >> 32);

    /// <summary>Driver number of the network (2 is TCP).</summary>
    public byte NetworkType => (byte)(Value >> 48);

    /// <summary>Number of the network inside its type: 3 for <c>tcp3</c>.</summary>
    public ushort NetworkNumber => (ushort)(Value >> 32);

    /// <summary>True for an address on a TCP network, the only kind this node serves.</summary>
    public bool IsTcp => Value >> 56 == 0 && NetworkType == TcpType;

    /// <summary>The IPv4 address of a TCP NID.</summary>
    /// <exception cref="InvalidOperationException">The NID is not on a TCP network.</exception>
    public IPAddress Address
    {
        get
        {
            if (!IsTcp) throw new InvalidOperationException($"{this} has no IPv4 address");
            Span<byte> octets = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(octets, (uint)Value);
            return new IPAddress(octets);
        }
    }

    /// <summary>The NID of an IPv4 address on <c>tcp</c> number <paramref name="network"/>.</summary>
    /// <exception cref="ArgumentException">The address is not IPv4 (nor IPv4 mapped into IPv6).</exception>
    public static Nid FromTcp(IPAddress address, ushort network = 0)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> octets = stackalloc byte[4];
        if (address.AddressFamily != AddressFamily.InterNetwork || !address.TryWriteBytes(octets, out _))
            throw new ArgumentException($"{address} is not an IPv4 address", nameof(address));
        return new Nid((ulong)TcpType << 48 | (ulong)network << 32 | BinaryPrimitives.ReadUInt32BigEndian(octets));
    }

    /// <summary>Reads <c>address@tcp[number]</c>, <c>address</c> alone (network <c>tcp</c>) or <c>0@lo</c>.</summary>
    /// <exception cref="FormatException">The text is not such a NID.</exception>
    public static Nid Parse(string text) =>
        TryParse(text, out var nid) ? nid : throw new FormatException($"'{text}' is not a NID such as 192.168.1.5@tcp");

    /// <summary>As <see cref="Parse"/>, without an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Nid nid)
    {
        nid = default;
        if (text is null) return false;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var address = at < 0 ? text.AsSpan() : text.AsSpan(0, at);
        var network = at < 0 ? "tcp" : text.AsSpan(at + 1);
        if (network.SequenceEqual("lo"))
        {
            nid = Loopback;
            return address.SequenceEqual("0");
        }

        if (!network.StartsWith("tcp", StringComparison.Ordinal) || !TryParseNumber(network[3..], out var number)) return false;
        if (!TryParseIpv4(address, out var value)) return false;
        nid = new Nid((ulong)TcpType << 48 | (ulong)number << 32 | value);
        return true;
    }

    public override string ToString()
    {
        if (this == Any) return "<?>";
        if (this == Loopback) return "0@lo";
        if (!IsTcp) return string.Create(CultureInfo.InvariantCulture, $"0x{Value:x16}");
        var number = NetworkNumber == 0 ? "" : NetworkNumber.ToString(CultureInfo.InvariantCulture);
        return $"{Address}@tcp{number}";
    }

    private static bool TryParseNumber(ReadOnlySpan<char> digits, out ushort number)
    {
        number = 0;
        return digits.IsEmpty || ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>
    /// Exactly four decimal octets; the shorter forms that <see cref="IPAddress"/> takes are mistakes here.
    /// </summary>
    private static bool TryParseIpv4(ReadOnlySpan<char> text, out uint value)
    {
        value = 0;
        var octets = 0;
        foreach (var part in text.Split('.'))
        {
            if (++octets > 4) return false;
            if (!byte.TryParse(text[part], NumberStyles.None, CultureInfo.InvariantCulture, out var octet)) return false;
            value = value << 8 | octet;
        }

        return octets == 4;
    }
}
