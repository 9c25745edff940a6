using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Operations;

/// <summary>What operations work with.</summary>
public sealed record OperationServices(ResourceCatalog Catalog, IDataPlane DataPlane, TimeProvider Time, ControlPlaneSettings Settings)
{
    /// <exception cref="ApiException">FileSystemNotFound: there is none, or it belongs to another account.</exception>
    internal FileSystemEntry FileSystem(string id, CallContext context) =>
        Catalog.FileSystems.Find(id) is { } entry && entry.Description.OwnerId == context.AccountId ? entry : throw NotFound.FileSystem(id);

    /// <exception cref="ApiException">BackupNotFound, likewise.</exception>
    internal BackupEntry Backup(string id, CallContext context) =>
        Catalog.Backups.Find(id) is { } entry && entry.Description.OwnerId == context.AccountId ? entry : throw NotFound.Backup(id);

    /// <exception cref="ApiException">DataRepositoryAssociationNotFound, likewise.</exception>
    internal AssociationEntry Association(string id, CallContext context) =>
        Catalog.Associations.Find(id) is { } entry && entry.OwnerId == context.AccountId ? entry : throw NotFound.Association(id);

    /// <exception cref="ApiException">DataRepositoryTaskNotFound, likewise.</exception>
    internal TaskEntry Task(string id, CallContext context) =>
        Catalog.Tasks.Find(id) is { } entry && entry.OwnerId == context.AccountId ? entry : throw NotFound.Task(id);

    /// <summary>The token of a request in the form in which requests are compared; null where the client sent none.</summary>
    /// <param name="request">Without its token.</param>
    internal static IdempotencyToken? Token<TRequest>(
        CallContext context, string operation, string? token, TRequest request, JsonTypeInfo<TRequest> json) =>
        token is null ? null : new IdempotencyToken(context.AccountId, operation, token, JsonSerializer.Serialize(request, json));
}

/// <summary>Refusals because there is no such resource.</summary>
internal static class NotFound
{
    public static ApiException FileSystem(string id) => new(ErrorCode.FileSystemNotFound, $"File system '{id}' does not exist.");

    public static ApiException Backup(string id) => new(ErrorCode.BackupNotFound, $"Backup '{id}' does not exist.");

    public static ApiException Association(string id) => new(ErrorCode.AssociationNotFound, $"Data repository association '{id}' does not exist.");

    public static ApiException Task(string id) => new(ErrorCode.TaskNotFound, $"Data repository task '{id}' does not exist.");

    public static ApiException FileCache(string id) => new(ErrorCode.FileCacheNotFound, $"File cache '{id}' does not exist.");
}
