using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Lustre versions a file system can have. Servers here are the same for all of them; clients and tools read the number.</summary>
internal static class LustreVersions
{
    /// <summary>Oldest first.</summary>
    public static readonly IReadOnlyList<string> All = ["2.10", "2.12", "2.15"];

    public static IReadOnlyList<string> For(FileSystemOrder order) => order switch
    {
        { Efa: true } or { Offer.IsElastic: true } or { Lustre.MetadataConfiguration: not null } => ["2.15"],
        { DeploymentType: DeploymentType.Persistent2 } => ["2.12", "2.15"],
        _ => All,
    };

    /// <summary>What in the order narrows the choice.</summary>
    public static string Reason(FileSystemOrder order) => order switch
    {
        { Efa: true } => "EFA-enabled file systems",
        { Offer.IsElastic: true } => "StorageType INTELLIGENT_TIERING",
        { Lustre.MetadataConfiguration: not null } => "file systems with a MetadataConfiguration",
        _ => $"DeploymentType {order.DeploymentType}",
    };

    public static bool IsNewer(string version, string than) => Rank(version) > Rank(than);

    private static int Rank(string version) => All.ToList().IndexOf(version);
}
