using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Operations;

/// <summary>The tags of whatever an ARN names: file systems, backups, associations, tasks.</summary>
internal sealed class TaggedResources(ResourceCatalog catalog)
{
    private const int ArnParts = 6;

    /// <exception cref="ApiException">The ARN names nothing the caller has.</exception>
    public IReadOnlyList<Tag> Read(string arn, CallContext context)
    {
        string[] path = Path(arn, context);
        return Found(arn, context, path switch
        {
            ["file-system", var id] => catalog.FileSystems.Find(id) is { } entry ? (entry.Description.OwnerId, entry.Description.Tags) : null,
            ["backup", var id] => catalog.Backups.Find(id) is { } entry ? (entry.Description.OwnerId, entry.Description.Tags) : null,
            ["association", _, var id] => catalog.Associations.Find(id) is { } entry ? (entry.OwnerId, entry.Description.Tags) : null,
            ["task", var id] => catalog.Tasks.Find(id) is { } entry ? (entry.OwnerId, entry.Description.Tags) : null,
            _ => null,
        });
    }

    /// <summary>Replaces the tags by what <paramref name="change"/> makes of them, in one transaction.</summary>
    /// <exception cref="ApiException">The ARN names nothing the caller has, or the change refuses.</exception>
    public void Change(string arn, CallContext context, Func<IReadOnlyList<Tag>, IReadOnlyList<Tag>> change) => catalog.Change(() =>
    {
        var tags = change(Read(arn, context));
        return Path(arn, context) switch
        {
            ["file-system", var id] => catalog.FileSystems.Update(
                id, now => now with { Description = now.Description with { Tags = tags } }) is not null,
            ["backup", var id] => catalog.Backups.Update(
                id, now => now with { Description = now.Description with { Tags = tags } }) is not null,
            ["association", _, var id] => catalog.Associations.Update(
                id, now => now with { Description = now.Description with { Tags = tags } }) is not null,
            ["task", var id] => catalog.Tasks.Update(
                id, now => now with { Description = now.Description with { Tags = tags } }) is not null,
            _ => false,
        };
    });

    private static IReadOnlyList<Tag> Found(string arn, CallContext context, (string? Owner, IReadOnlyList<Tag> Tags)? resource) =>
        resource is { } found && found.Owner == context.AccountId
            ? found.Tags
            : throw Refusal(ErrorCode.ResourceNotFound, arn, $"The resource '{arn}' does not exist.");

    // arn:aws:fsx:REGION:ACCOUNT:file-system/fs-0123456789abcdef0. Any region is taken for ours, as clients may sign for any.
    private static string[] Path(string arn, CallContext context)
    {
        string[] parts = arn.Split(':', ArnParts);
        if (parts.Length < ArnParts || parts[0] != "arn")
        {
            throw new ApiException(ErrorCode.BadRequest, $"Invalid ResourceARN: {arn}. "
                + "Must be arn:aws:fsx:REGION:ACCOUNT:file-system/ID, for instance.");
        }
        if (parts[2] != "fsx")
        {
            throw Refusal(ErrorCode.NotServiceResource, arn, $"The resource '{arn}' does not belong to Amazon FSx.");
        }
        return parts[4] == context.AccountId ? parts[5].Split('/') : [];
    }

    private static ApiException Refusal(string code, string arn, string message) =>
        new(code, message) { Members = new Dictionary<string, string> { ["ResourceARN"] = arn } };
}
