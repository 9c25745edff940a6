namespace Nacre.FilesystemBench.Measurement;

/// <summary>What Nacre is to reach, on two cores with client and servers together.</summary>
/// <param name="Row">The row it is about.</param>
/// <param name="Least">In the row's unit, or, with <paramref name="Of"/>, times as fast as that file system.</param>
internal sealed record Target(string Row, double Least, string? Of)
{
    private const double MibPerMb = 1e6 / (1 << 20);

    public static IReadOnlyList<Target> All { get; } =
    [
        new("read-seq-1m", 1200 * MibPerMb, null),
        new("write-seq-1m", 800 * MibPerMb, null),
        new("reread-seq-1m", 0.7, "local"),
        new("create-1", 3000, null),
        new("create-16", 10_000, null),
        new("stat-warm-1", 100_000, null),
        // 120 microseconds each.
        new("stat-uncached-1", 1e6 / 120, null),
    ];

    /// <summary>Null where something it needs was not measured.</summary>
    public double? Reached(Row row) => Of is null ? row.Value("nacre") : row.Ratio("nacre", Of);
}
