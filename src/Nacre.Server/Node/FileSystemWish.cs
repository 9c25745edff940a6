namespace Nacre.Server.Node;

/// <summary>What a file system is to be like.</summary>
/// <param name="Name">The mount name.</param>
/// <param name="OstCount">OSTs it needs; one that has more keeps them.</param>
/// <param name="CapacityGib">Capacity of all OSTs together, GiB.</param>
/// <param name="RootSquash">Null where root is root.</param>
public sealed record FileSystemWish(string Name, int OstCount, long CapacityGib, SquashRecord? RootSquash = null)
{
    /// <exception cref="NodeConfigurationException">There can be no such file system.</exception>
    public void Check()
    {
        FileSystemSpec.CheckedName(Name);
        if (OstCount is < 1 or > FileSystemSpec.MaxOsts)
        {
            throw new NodeConfigurationException($"file system '{Name}' cannot have {OstCount} OSTs: 1 to {FileSystemSpec.MaxOsts} are possible");
        }

        if (CapacityGib is < 1 or > FileSystemSpec.MaxCapacityGib)
        {
            throw new NodeConfigurationException(
                $"file system '{Name}' cannot have {CapacityGib} GiB: 1 to {FileSystemSpec.MaxCapacityGib} are possible");
        }

        _ = RootSquash?.ToPolicy();
    }

    internal FileSystemRecord ApplyTo(FileSystemRecord record) => record with
    {
        OstCount = Math.Max(record.OstCount, OstCount),
        CapacityGib = CapacityGib,
        RootSquash = RootSquash,
    };
}
