using System.Globalization;
using Nacre.ControlPlane.Shapes;
using Nacre.LNet;

namespace Nacre.ControlPlane.Validation;

/// <summary>What root of a client becomes, and for which clients not.</summary>
internal static class RootSquashRules
{
    private const uint MaxId = uint.MaxValue - 1;

    public static IEnumerable<Rule<T>> Of<T>(Func<T, RootSquashConfiguration?> of) =>
    [
        new(
            o => of(o)?.RootSquash is { } squash && Ids(squash).Any(id => id > MaxId),
            o => $"Invalid RootSquash: {of(o)!.RootSquash}. Both ids must be between 0 and {MaxId}."),
        new(
            o => of(o)?.RootSquash is { } squash && Ids(squash).Distinct().Count() == 2 && Ids(squash).Contains(0),
            o => $"Invalid RootSquash: {of(o)!.RootSquash}. Either both ids are 0, which turns root squash off, or neither is."),
        new(
            o => MisformedNid(of(o)) is not null,
            o => $"Invalid NoSquashNids: {MisformedNid(of(o))}. "
                + "Must be four numbers from 0 to 255, or ranges such as [2-10], as in 10.0.[2-10].[1-255]@tcp."),
    ];

    /// <summary>User and group id of <c>uid:gid</c>; up to ten digits each.</summary>
    private static long[] Ids(string squash) =>
        [.. squash.Split(':').Select(id => long.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture))];

    private static string? MisformedNid(RootSquashConfiguration? squash) =>
        squash?.NoSquashNids?.FirstOrDefault(nid => !NidRange.TryParse(nid, out _));
}
