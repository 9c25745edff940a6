using System.Text.Json.Serialization;

namespace Nacre.Server.Node;

/// <summary>What a node keeps of a file system beside its targets' stores.</summary>
/// <param name="Name">The mount name.</param>
/// <param name="OstCount">OSTs it has; it only ever grows.</param>
/// <param name="CapacityGib">Capacity of all OSTs together, GiB.</param>
public sealed record FileSystemRecord(string Name, int OstCount, long CapacityGib);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FileSystemRecord))]
internal sealed partial class FileSystemRecordContext : JsonSerializerContext;
