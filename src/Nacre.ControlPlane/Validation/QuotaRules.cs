using System.Globalization;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>What an account may have altogether.</summary>
internal static class QuotaRules
{
    /// <summary>Inside of the change that makes a file system or lets it grow, so that two requests cannot both take the last place.</summary>
    /// <param name="others">The file systems of the account without the one in question.</param>
    /// <param name="wanted">What the one in question is going to be.</param>
    /// <exception cref="ApiException">ServiceLimitExceeded.</exception>
    public static void Check(IEnumerable<FileSystemEntry> others, Wanted wanted, Quotas quotas)
    {
        var alike = others.Select(entry => entry.Description).Where(other => ClassOf(other.LustreConfiguration.DeploymentType!) == ClassOf(wanted.DeploymentType)).ToList();
        if (alike.Count >= quotas.FileSystems)
        {
            throw Exceeded("FILE_SYSTEM_COUNT", quotas.FileSystems, $"{ClassOf(wanted.DeploymentType)} file systems");
        }
        if (wanted.CapacityGib + alike.Sum(other => (long)(other.StorageCapacity ?? 0)) > quotas.StorageGib)
        {
            throw Exceeded("TOTAL_STORAGE", quotas.StorageGib, $"GiB of {ClassOf(wanted.DeploymentType)} file systems");
        }
        if (wanted.ThroughputCapacity + alike.Sum(other => (long)(other.LustreConfiguration.ThroughputCapacity ?? 0)) > quotas.ThroughputCapacity)
        {
            throw Exceeded("TOTAL_THROUGHPUT_CAPACITY", quotas.ThroughputCapacity, "MB/s of INTELLIGENT_TIERING file systems");
        }
    }

    private static string ClassOf(string deploymentType) => DeploymentType.IsScratch(deploymentType) ? "SCRATCH" : deploymentType;

    private static ApiException Exceeded(string limit, long bound, string what) => new(
        ErrorCode.ServiceLimitExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The account's limit of {bound} {what} would be exceeded."))
    {
        Members = new Dictionary<string, string> { ["Limit"] = limit },
    };
}

/// <param name="CapacityGib">0 for INTELLIGENT_TIERING.</param>
/// <param name="ThroughputCapacity">MB/s; 0 for others.</param>
internal readonly record struct Wanted(string DeploymentType, long CapacityGib, long ThroughputCapacity);
