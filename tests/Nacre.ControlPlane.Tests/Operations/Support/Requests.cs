using System.Text.Json.Nodes;

namespace Nacre.ControlPlane.Tests.Operations.Support;

/// <summary>Requests for file systems, short enough for a table row.</summary>
internal static class Requests
{
    public const string Subnet = "subnet-0123456789abcdef0";

    public const string Tiering =
        "'ThroughputCapacity':4000,'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':6000},'DataReadCacheConfiguration':{'SizingMode':'NO_CACHE'}";

    /// <summary>JSON with single quotes.</summary>
    public static JsonObject Parse(string json) => JsonNode.Parse(json.Replace('\'', '"'))!.AsObject();

    /// <param name="capacity">GiB; 0 for none.</param>
    /// <param name="lustre">Members of LustreConfiguration beside the deployment type.</param>
    /// <param name="rest">Members beside it.</param>
    public static string Row(string deployment, string storage, int capacity, string lustre = "", string rest = "") =>
        $"{{'FileSystemType':'LUSTRE','SubnetIds':['{Subnet}'],'StorageType':'{storage}'{(capacity > 0 ? $",'StorageCapacity':{capacity}" : "")}"
        + $"{Prefixed(rest)},'LustreConfiguration':{{'DeploymentType':'{deployment}'{Prefixed(lustre)}}}}}";

    public static JsonObject Create(string deployment, string storage, int capacity, string lustre = "", string rest = "") =>
        Parse(Row(deployment, storage, capacity, lustre, rest));

    public static JsonObject Scratch(int capacity = 1200, string rest = "") => Create("SCRATCH_2", "SSD", capacity, rest: rest);

    public static JsonObject Persistent(int capacity = 1200, string lustre = "", string rest = "") =>
        Create("PERSISTENT_2", "SSD", capacity, "'PerUnitStorageThroughput':125" + Prefixed(lustre), rest);

    private static string Prefixed(string members) => members.Length == 0 ? "" : "," + members;
}
