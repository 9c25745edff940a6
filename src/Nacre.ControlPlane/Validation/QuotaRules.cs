using System.Globalization;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>What an account may have altogether.</summary>
internal static class QuotaRules
{
    /// <summary>Inside of the change that makes a file system or lets it grow, so that two requests cannot both take the last place.</summary>
    /// <param name="others">What the account has of the class without the file system in question.</param>
    /// <param name="wanted">What that is going to take.</param>
    /// <exception cref="ApiException">ServiceLimitExceeded.</exception>
    public static void Check(UsageTotal others, Usage wanted, Quotas quotas)
    {
        if (others.Count >= quotas.FileSystems)
        {
            throw Exceeded("FILE_SYSTEM_COUNT", quotas.FileSystems, $"{wanted.Class} file systems");
        }
        if (others.Gib + wanted.Gib > quotas.StorageGib)
        {
            throw Exceeded("TOTAL_STORAGE", quotas.StorageGib, $"GiB of {wanted.Class} file systems");
        }
        if (others.Throughput + wanted.Throughput > quotas.ThroughputCapacity)
        {
            throw Exceeded("TOTAL_THROUGHPUT_CAPACITY", quotas.ThroughputCapacity, "MB/s of INTELLIGENT_TIERING file systems");
        }
    }

    private static ApiException Exceeded(string limit, long bound, string what) => new(
        ErrorCode.ServiceLimitExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The account's limit of {bound} {what} would be exceeded."))
    {
        Members = new Dictionary<string, string> { ["Limit"] = limit },
    };
}
