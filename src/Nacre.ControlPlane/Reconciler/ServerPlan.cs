using System.Globalization;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Reconciler;

/// <summary>What the servers have to be like for a file system as the API describes it.</summary>
internal static class ServerPlan
{
    /// <exception cref="DataPlaneException">There can be no such file system.</exception>
    public static FileSystemShape Of(FileSystem description)
    {
        var size = Sizing.Of(description);
        return new FileSystemShape(
            MountNameOf(description), size.OstCount, size.CapacityGib, SquashOf(description.LustreConfiguration.RootSquashConfiguration));
    }

    public static string MountNameOf(FileSystem description) => description.LustreConfiguration.MountName
        ?? throw new InvalidOperationException($"{description.FileSystemId} has no mount name");

    /// <summary>Squashing to root is none.</summary>
    private static RootSquash? SquashOf(RootSquashConfiguration? configuration)
    {
        if (configuration?.RootSquash is not { } ids)
        {
            return null;
        }

        var colon = ids.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !uint.TryParse(ids.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var uid)
            || !uint.TryParse(ids.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var gid))
        {
            throw new DataPlaneException($"'{ids}' is no root squash of the form uid:gid.", isPermanent: true);
        }

        return uid == 0 && gid == 0 ? null : new RootSquash(uid, gid, configuration.NoSquashNids ?? []);
    }
}
