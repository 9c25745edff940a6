using System.Text.Json.Serialization.Metadata;

namespace Nacre.ControlPlane.Catalog;

/// <summary>What the catalog has to know of a kind of resource to keep it: its table, its JSON, and what is looked up without reading the JSON.</summary>
internal sealed record ResourceKind<TEntry>
    where TEntry : class
{
    public required string Table { get; init; }

    public required JsonTypeInfo<TEntry> Json { get; init; }

    public required Func<TEntry, string> Id { get; init; }

    /// <summary>Owner, 12 digits.</summary>
    public required Func<TEntry, string> Account { get; init; }

    /// <summary>A name no two of the kind may have; null for none.</summary>
    public Func<TEntry, string?> Name { get; init; } = _ => null;

    /// <summary>The resource it belongs to; null for none.</summary>
    public Func<TEntry, string?> Parent { get; init; } = _ => null;

    /// <summary>Whether something is still to be done for it.</summary>
    public required Func<TEntry, bool> IsUnsettled { get; init; }
}
