using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

/// <summary>Configuration of one object target.</summary>
public sealed record OstOptions
{
    /// <summary>Mount name of the file system, 1 to 8 characters.</summary>
    public required string FileSystem { get; init; }

    /// <summary>OST index, 0 to 0xffff.</summary>
    public required int Index { get; init; }

    /// <summary>See <see cref="PtlRpc.IRpcTarget.Generation"/>.</summary>
    public uint Generation { get; init; }

    /// <summary>Largest bulk RPC in bytes: a power of two, 1 to 64 MiB (06 section 3.1). Each 1 MiB costs a pool buffer.</summary>
    public int BrwSize { get; init; } = 4 << 20;

    /// <summary>Checksum types offered to clients (06 section 3.3).</summary>
    public OcdChecksumTypes ChecksumTypes { get; init; } = OcdChecksumTypes.All;

    /// <summary>
    /// Compute checksums of bulk data. Off: a WRITE returns the client's value unchanged and a READ returns none, which
    /// clients accept (06 section 4.8).
    /// </summary>
    public bool Checksums { get; init; } = true;

    /// <summary>
    /// Wait for the disk before the reply of a write that is not write-back (O_DIRECT, or without grant), as the protocol
    /// reference asks (06 section 4.9). Off: such a write survives a killed server, not a power cut, until fsync.
    /// </summary>
    public bool DurableDirectWrites { get; init; } = true;

    /// <summary>Extra KiB of grant a client must spend per dirty extent, for the backing file system's metadata.</summary>
    public int GrantTaxKiB { get; init; } = 24;

    /// <summary>Which object ids exist; null accepts every id of this target's own sequences.</summary>
    public IObjectAllocations? Allocations { get; init; }

    public string TargetName => $"{FileSystem}-OST{Index:x4}";
    public string Uuid => TargetName + "_UUID";
}
