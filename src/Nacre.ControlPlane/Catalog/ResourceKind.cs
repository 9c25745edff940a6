using System.Text.Json.Serialization.Metadata;

namespace Nacre.ControlPlane.Catalog;

/// <summary>
/// What the catalog has to know of a kind of resource to keep it: its table, its JSON, and what is looked up without reading the JSON.
/// </summary>
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

    /// <summary>What it takes of its account's quotas; null for what is not counted.</summary>
    public Func<TEntry, Usage?> Usage { get; init; } = _ => null;

    /// <summary>Whether something is still to be done for it.</summary>
    public required Func<TEntry, bool> IsUnsettled { get; init; }
}

/// <summary>What a resource takes of its account's quotas.</summary>
/// <param name="Class">Resources of one class share quotas.</param>
/// <param name="Throughput">MB/s.</param>
public readonly record struct Usage(string Class, long Gib, long Throughput);

/// <summary>What an account has of one class of resources.</summary>
/// <param name="Throughput">MB/s.</param>
public readonly record struct UsageTotal(long Count, long Gib, long Throughput);
