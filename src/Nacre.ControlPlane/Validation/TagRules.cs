using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Rules about tags that the model does not state.</summary>
internal static class TagRules
{
    public const int MaxTags = 50;

    public static IEnumerable<Rule<T>> Of<T>(Func<T, IReadOnlyList<Tag?>?> of) =>
    [
        new(
            o => Reserved(of(o)?.Select(tag => tag!.Key)) is not null,
            o => $"Tag keys beginning with 'aws:' are reserved: {Reserved(of(o)!.Select(tag => tag!.Key))}."),
        new(
            o => Repeated(of(o)) is not null,
            o => $"Tag keys must be unique: {Repeated(of(o))} is there more than once."),
    ];

    public static string? Reserved(IEnumerable<string?>? keys) =>
        keys?.FirstOrDefault(key => key!.StartsWith("aws:", StringComparison.OrdinalIgnoreCase));

    private static string? Repeated(IReadOnlyList<Tag?>? tags) =>
        tags?.GroupBy(tag => tag!.Key, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
}
