using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Links to S3.</summary>
internal static class RepositoryRules
{
    private const string UnsupportedOnPersistent2 =
        "Linking a Persistent 2 file system to an S3 bucket using the LustreConfiguration is not supported. Create a file system and then create "
        + "a data repository association to link S3 buckets to the file system. For more details, visit "
        + "https://docs.aws.amazon.com/fsx/latest/LustreGuide/create-dra-linked-data-repo.html";

    /// <summary>The link of the request that makes a file system, called the old style since there are associations.</summary>
    public static readonly IReadOnlyList<Rule<FileSystemOrder>> OfCreation =
    [
        new(o => IsLink(o) && o.DeploymentType == DeploymentType.Persistent2, UnsupportedOnPersistent2),
        new(o => o.Lustre is { ImportPath: null, ExportPath: not null }, "ExportPath is allowed together with ImportPath only."),
        new(
            o => o.Lustre is { ImportPath: null, ImportedFileChunkSize: not null },
            "ImportedFileChunkSize is allowed together with ImportPath only."),
        new(
            o => o.Lustre is { ImportPath: null, AutoImportPolicy: not null and not "NONE" },
            o => $"AutoImportPolicy {o.Lustre.AutoImportPolicy} is allowed together with ImportPath only."),
        new(o => o.Lustre.ImportPath is { } path && Bucket(path) is null, o => $"Invalid ImportPath: {o.Lustre.ImportPath}. {Format}")
        {
            Code = ErrorCode.InvalidImportPath,
        },
        new(o => o.Lustre.ExportPath is { } path && Bucket(path) is null, o => $"Invalid ExportPath: {o.Lustre.ExportPath}. {Format}")
        {
            Code = ErrorCode.InvalidExportPath,
        },
        new(
            o => o.Lustre is { ImportPath: { } import, ExportPath: { } export } && Bucket(import) != Bucket(export),
            o => $"Invalid ExportPath: {o.Lustre.ExportPath}. It must be in the bucket of ImportPath, {Bucket(o.Lustre.ImportPath!)}.")
        {
            Code = ErrorCode.InvalidExportPath,
        },
        new(
            o => o.Lustre.ImportPath is not null && (o.RetentionDays > 0 || o.Lustre.CopyTagsToBackups == true),
            "AutomaticBackupRetentionDays and CopyTagsToBackups are not allowed together with ImportPath: file systems linked to S3 have no backups."),
        new(o => o.Lustre.ImportPath is not null, "ImportPath is not available: this version of Nacre has no data repositories yet."),
    ];

    private const string Format = "Must be s3://bucket or s3://bucket/prefix.";
    private const string Scheme = "s3://";

    /// <returns>The bucket of an S3 path; null for what is none.</returns>
    public static string? Bucket(string path)
    {
        if (!path.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return null;
        }
        string bucket = path[Scheme.Length..].Split('/')[0];
        bool isName = bucket.Length is >= 3 and <= 63
            && bucket.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-')
            && char.IsAsciiLetterOrDigit(bucket[0]) && char.IsAsciiLetterOrDigit(bucket[^1]);
        return isName ? bucket : null;
    }

    private static bool IsLink(FileSystemOrder order) =>
        order.Lustre is { ImportPath: not null } or { ExportPath: not null } or { ImportedFileChunkSize: not null }
        || order.Lustre.AutoImportPolicy is not null and not "NONE";
}
