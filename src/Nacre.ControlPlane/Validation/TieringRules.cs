using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Rules about throughput and read cache of INTELLIGENT_TIERING, for what is ordered and for what an update makes of it.</summary>
internal static class TieringRules
{
    private const long MinCacheGib = 32;
    private const long MaxCacheGib = 131_072;

    /// <param name="of">Throughput in MB/s and read cache there are going to be; nulls elsewhere than with INTELLIGENT_TIERING.</param>
    public static IEnumerable<Rule<T>> OfValues<T>(Func<T, (int? Throughput, DataReadCacheConfiguration? Cache)> of) =>
    [
        new(
            o => of(o).Throughput is { } throughput && throughput % Sizing.TieringThroughputStep != 0,
            o => $"Invalid ThroughputCapacity: {of(o).Throughput}. Must be 4000 or a multiple of 4000."),
        new(
            o => of(o).Cache is { SizingMode: null },
            "DataReadCacheConfiguration SizingMode is required. Allowed: NO_CACHE, USER_PROVISIONED, PROPORTIONAL_TO_THROUGHPUT_CAPACITY."),
        new(
            o => of(o).Cache is { SizingMode: not ReadCacheSizing.UserProvisioned, SizeGiB: not null },
            o => $"DataReadCacheConfiguration SizeGiB cannot be set with SizingMode {of(o).Cache!.SizingMode}."),
        new(
            o => of(o).Cache is { SizingMode: ReadCacheSizing.UserProvisioned, SizeGiB: null },
            "DataReadCacheConfiguration SizeGiB is required with SizingMode USER_PROVISIONED."),
        new(
            o => of(o) is ({ } throughput, { SizeGiB: { } size }) && (size < Least(throughput) || size > Most(throughput)),
            o => $"File systems with throughput capacity of {of(o).Throughput} MB/s support a minimum read cache size "
                + $"of {Least(of(o).Throughput!.Value)} GiB "
                + $"and maximum read cache size of {Most(of(o).Throughput!.Value)} GiB"),
    ];

    private static long Least(int throughput) => throughput / Sizing.TieringThroughputStep * MinCacheGib;

    private static long Most(int throughput) => throughput / Sizing.TieringThroughputStep * MaxCacheGib;
}
