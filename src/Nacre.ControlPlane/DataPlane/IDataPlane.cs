namespace Nacre.ControlPlane.DataPlane;

/// <summary>
/// What the control plane asks of the servers. Every call states what is wanted and is repeated until it has succeeded, so each must be
/// safe to repeat after it was done wholly or in part, also by an earlier process. Behind it stands the node of this process; tests put
/// a twin there.
/// </summary>
public interface IDataPlane
{
    /// <summary>The address clients mount: an IPv4 address, without network.</summary>
    string Address { get; }

    /// <summary>Mount names in use, also those of file systems that the control plane does not know.</summary>
    IReadOnlyCollection<string> MountNames { get; }

    /// <summary>
    /// Makes the file system, or gives the one that is there the OSTs and the settings it lacks. On return clients can mount it, and those that have it
    /// mounted use new OSTs within seconds. It never takes an OST away.
    /// </summary>
    /// <exception cref="DataPlaneException">It cannot be done.</exception>
    Task EnsureAsync(FileSystemShape shape, CancellationToken cancellationToken);

    /// <summary>Evicts the clients, stops the targets and removes the data. Nothing to do is success.</summary>
    /// <exception cref="DataPlaneException">It cannot be done.</exception>
    Task RemoveAsync(string mountName, CancellationToken cancellationToken);
}

/// <summary>What a file system is made of, and the settings its servers apply.</summary>
/// <param name="MountName">1 to 8 characters; the Lustre fsname.</param>
/// <param name="OstCount">OSTs it has to have.</param>
/// <param name="CapacityGib">Of all OSTs together, GiB.</param>
/// <param name="RootSquash">Null where root is root.</param>
public sealed record FileSystemShape(string MountName, int OstCount, long CapacityGib, RootSquash? RootSquash);

/// <param name="Uid">What uid 0 of a client becomes.</param>
/// <param name="Gid">What its gid 0 becomes.</param>
/// <param name="ExceptNids">NID ranges in the form of the API, <c>10.0.[2-10].[1-255]@tcp</c>, whose root stays root.</param>
public sealed record RootSquash(uint Uid, uint Gid, IReadOnlyList<string> ExceptNids);

/// <summary>The servers could not do what was asked; the message is fit for <c>FailureDetails.Message</c>.</summary>
/// <param name="isPermanent">Trying again is of no use.</param>
public sealed class DataPlaneException(string message, bool isPermanent, Exception? inner = null) : Exception(message, inner)
{
    public bool IsPermanent { get; } = isPermanent;
}
