using System.Text.Json.Serialization;
using Nacre.LNet;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Node;

/// <summary>What a node keeps of a file system beside its targets' stores.</summary>
/// <param name="Name">The mount name.</param>
/// <param name="OstCount">OSTs it has; it only ever grows.</param>
/// <param name="CapacityGib">Capacity of all OSTs together, GiB.</param>
public sealed record FileSystemRecord(string Name, int OstCount, long CapacityGib)
{
    /// <summary>File systems this node had removed when it made this one: <see cref="PtlRpc.IRpcTarget.Generation"/>.</summary>
    public uint Generation { get; init; }

    /// <summary>Null where root is root.</summary>
    public SquashRecord? RootSquash { get; init; }
}

/// <summary>Whose requests as root become whose.</summary>
/// <param name="ExceptNids">Ranges in the form of <see cref="NidRange"/> whose root stays root.</param>
public sealed record SquashRecord(uint Uid, uint Gid, IReadOnlyList<string> ExceptNids)
{
    /// <exception cref="NodeConfigurationException">A range is none.</exception>
    internal IdentityPolicy ToPolicy()
    {
        NidRange[] ranges;
        try
        {
            ranges = [.. ExceptNids.Select(NidRange.Parse)];
        }
        catch (FormatException e)
        {
            throw new NodeConfigurationException(e.Message, e);
        }

        return new IdentityPolicy
        {
            RootSquash = (Uid, Gid),
            SquashExempt = nid => Array.Exists(ranges, range => range.Contains(nid)),
        };
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(FileSystemRecord))]
[JsonSerializable(typeof(RemovedRecord))]
internal sealed partial class FileSystemRecordContext : JsonSerializerContext;
