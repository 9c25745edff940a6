using System.IO.Hashing;

namespace Nacre.PtlRpc.Wire;

/// <summary>The 4-bit checksum type inside <see cref="ObdoFlags.ChecksumMask"/>, in place (06 section 4.8).</summary>
public enum BrwChecksumType : uint
{
    Crc32 = 0x1000,
    Adler = 0x2000,
    Crc32C = 0x4000,
}

/// <summary>Bits of <c>ocd_cksum_types</c> (06 section 3.3). The T10 types are never offered.</summary>
[Flags]
public enum OcdChecksumTypes : uint
{
    None = 0,
    Crc32 = 0x1,
    Adler = 0x2,
    Crc32C = 0x4,
    All = Crc32 | Adler | Crc32C,
}

/// <summary>
/// Checksum over the bytes of one bulk transfer, in bulk order, as one stream (06 section 4.8). Reusable, so that a pooled
/// request context owns one; not thread-safe.
/// </summary>
public sealed class BrwChecksum
{
    private Crc32? _crc32;
    private uint _state;

    public BrwChecksumType Type { get; private set; }

    /// <summary>The type that <paramref name="flags"/> name; 0 and unknown values mean Adler-32.</summary>
    public static BrwChecksumType TypeOf(ObdoFlags flags) => (BrwChecksumType)(uint)(flags & ObdoFlags.ChecksumMask) switch
    {
        BrwChecksumType.Crc32 => BrwChecksumType.Crc32,
        BrwChecksumType.Crc32C => BrwChecksumType.Crc32C,
        _ => BrwChecksumType.Adler,
    };

    /// <summary>The checksum of one contiguous piece.</summary>
    public static uint Compute(BrwChecksumType type, ReadOnlySpan<byte> data) => type switch
    {
        BrwChecksumType.Crc32 => ~Crc32.HashToUInt32(data),
        BrwChecksumType.Crc32C => ~Crc32C.Append(uint.MaxValue, data),
        _ => Adler32.Append(Adler32.Initial, data),
    };

    public void Start(BrwChecksumType type)
    {
        Type = type;
        switch (type)
        {
            case BrwChecksumType.Crc32:
                (_crc32 ??= new Crc32()).Reset();
                break;
            case BrwChecksumType.Crc32C:
                _state = uint.MaxValue;
                break;
            default:
                _state = Adler32.Initial;
                break;
        }
    }

    public void Append(ReadOnlySpan<byte> data)
    {
        switch (Type)
        {
            case BrwChecksumType.Crc32:
                _crc32!.Append(data);
                break;
            case BrwChecksumType.Crc32C:
                _state = Crc32C.Append(_state, data);
                break;
            default:
                _state = Adler32.Append(_state, data);
                break;
        }
    }

    /// <summary>The value for o_cksum. CRC32 lacks the usual final inversion, CRC32C has it.</summary>
    public uint Value => Type switch
    {
        BrwChecksumType.Crc32 => ~_crc32!.GetCurrentHashAsUInt32(),
        BrwChecksumType.Crc32C => ~_state,
        _ => _state,
    };
}
