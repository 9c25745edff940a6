using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>The properties that Describe operations filter by. Values of one filter are alternatives; all filters have to match.</summary>
internal static class Filters
{
    public static readonly IReadOnlyDictionary<string, Func<BackupEntry, string?>> OfBackups = new Dictionary<string, Func<BackupEntry, string?>>
    {
        ["file-system-id"] = entry => entry.Description.FileSystem.FileSystemId,
        ["backup-type"] = entry => entry.Description.Type,
        ["file-system-type"] = entry => entry.Description.FileSystem.FileSystemType,
        ["volume-id"] = _ => null,
    };

    public static readonly IReadOnlyDictionary<string, Func<AssociationEntry, string?>> OfAssociations =
        new Dictionary<string, Func<AssociationEntry, string?>>
        {
            ["file-system-id"] = entry => entry.Description.FileSystemId,
            ["file-cache-id"] = _ => null,
            ["data-repository-type"] = _ => "S3",
        };

    public static readonly IReadOnlyDictionary<string, Func<TaskEntry, string?>> OfTasks = new Dictionary<string, Func<TaskEntry, string?>>
    {
        ["file-system-id"] = entry => entry.Description.FileSystemId,
        ["task-lifecycle"] = entry => entry.Description.Lifecycle,
        ["data-repository-association-id"] = _ => null,
        ["file-cache-id"] = _ => null,
    };

    /// <summary>Whether all of a request's filters, whose shape has been checked, match.</summary>
    public static Func<TEntry, bool> Matcher<TEntry>(
        IReadOnlyDictionary<string, Func<TEntry, string?>> properties, IReadOnlyList<Filter?>? filters) =>
        entry => (filters ?? []).All(filter =>
            filter!.Name is null || (filter.Values ?? []).Contains(properties[filter.Name](entry)));

    /// <summary>The filters as text, to tell listings apart.</summary>
    public static string Text(IReadOnlyList<Filter?>? filters) =>
        string.Join('\n', (filters ?? []).Select(filter => $"{filter!.Name}={string.Join(',', filter.Values ?? [])}"));
}
