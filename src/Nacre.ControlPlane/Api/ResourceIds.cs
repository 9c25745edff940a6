using System.Text.Json;

namespace Nacre.ControlPlane.Api;

/// <summary>Finds what a call is about, for the audit log: the names under which the FSx model keeps ids.</summary>
internal static class ResourceIds
{
    // In the order in which they are the thing itself: a backup's description has the id of its file system too.
    private static readonly string[] Names =
        ["TaskId", "AssociationId", "BackupId", "SourceBackupId", "FileCacheId", "ResourceARN", "FileSystemId"];

    private static readonly string[] Lists = ["FileSystemIds", "BackupIds", "AssociationIds", "FileCacheIds"];

    /// <summary>Null where it names nothing, or several things.</summary>
    public static string? OfRequest(JsonElement body) => Own(body) ?? Lists
        .Select(name => body.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() == 1 ? Text(list[0]) : null)
        .FirstOrDefault(id => id is not null);

    /// <summary>What an operation made or changed: it answers with the id, or with one description that has it.</summary>
    public static string? OfAnswer(byte[] answer)
    {
        using var document = JsonDocument.Parse(answer);
        var root = document.RootElement;
        return Own(root) ?? root.EnumerateObject()
            .Where(p => p.Value.ValueKind == JsonValueKind.Object)
            .Select(p => Own(p.Value))
            .FirstOrDefault(id => id is not null);
    }

    private static string? Own(JsonElement element) => Names
        .Select(name => element.TryGetProperty(name, out var id) ? Text(id) : null)
        .FirstOrDefault(id => id is not null);

    private static string? Text(JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString() : null;
}
