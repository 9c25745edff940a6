using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

internal enum LoadKind
{
    Ping,
    Getattr,
    Stat,
    Create,
    OpenClose,
    Read,
    Write,
}

/// <summary>What a figure must reach.</summary>
internal enum TargetKind
{
    /// <summary>Operations a second, at least.</summary>
    Rate,

    /// <summary>Share of the floor's rate, at least.</summary>
    ShareOfFloor,

    /// <summary>Median latency as a multiple of the floor's, at most.</summary>
    LatencyOverFloor,
}

internal readonly record struct Target(TargetKind Kind, double Value);

/// <summary>Sizes that belong to a whole run of the generator rather than to one load.</summary>
internal sealed record LoadSettings(int Files, long WorkingSet);

/// <summary>One row of the report.</summary>
/// <param name="Name">What it is selected by on the command line.</param>
/// <param name="Concurrency">Operations in flight, over all clients.</param>
/// <param name="Size">Bytes an operation moves; 0 for metadata.</param>
internal sealed record LoadSpec(
    string Name, LoadKind Kind, int Concurrency, int Size = 0, BrwChecksumType? Checksum = null, Target? Target = null)
{
    private const int Kib = 1 << 10;
    private const int Mib = 1 << 20;

    /// <summary>Everything measured by default. The targets are those the project has set itself for two cores.</summary>
    public static readonly IReadOnlyList<LoadSpec> Suite =
    [
        new("ping", LoadKind.Ping, 1),
        new("ping", LoadKind.Ping, 64),
        new("getattr", LoadKind.Getattr, 1, Target: new(TargetKind.LatencyOverFloor, 2.5)),
        new("getattr", LoadKind.Getattr, 64, Target: new(TargetKind.Rate, 60_000)),
        new("stat", LoadKind.Stat, 64),
        new("create", LoadKind.Create, 1),
        new("create", LoadKind.Create, 64, Target: new(TargetKind.Rate, 10_000)),
        new("open-close", LoadKind.OpenClose, 64),
        new("read-4k", LoadKind.Read, 32, 4 * Kib),
        new("write-4k", LoadKind.Write, 32, 4 * Kib),
        new("read-1m", LoadKind.Read, 8, Mib, Target: new(TargetKind.ShareOfFloor, 0.6)),
        new("write-1m", LoadKind.Write, 8, Mib, Target: new(TargetKind.ShareOfFloor, 0.4)),
        new("read-1m-crc", LoadKind.Read, 8, Mib, BrwChecksumType.Crc32C),
        new("write-1m-crc", LoadKind.Write, 8, Mib, BrwChecksumType.Crc32C),
        new("read-4m", LoadKind.Read, 4, 4 * Mib),
        new("write-4m", LoadKind.Write, 4, 4 * Mib),
    ];

    /// <summary>One client's part of it.</summary>
    public Load Create(ClientSession session, int slots, LoadSettings settings) => Kind switch
    {
        LoadKind.Ping => new PingLoad(session, slots),
        LoadKind.Getattr => new GetattrLoad(session, slots, settings.Files),
        LoadKind.Stat => new StatLoad(session, slots, settings.Files),
        LoadKind.Create => new CreateLoad(session, slots),
        LoadKind.OpenClose => new OpenCloseLoad(session, slots),
        LoadKind.Read => new ReadLoad(session, slots, Size, settings.WorkingSet, Checksum),
        LoadKind.Write => new WriteLoad(session, slots, Size, settings.WorkingSet, Checksum),
        _ => throw new InvalidOperationException($"no such load: {Kind}"),
    };
}
