using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>A file system that is asked for, with the defaults of what was left out. Its shape has been checked, nothing else.</summary>
internal sealed record FileSystemOrder(CreateFileSystemRequest Request, string Account, ControlPlaneSettings Settings)
{
    public CreateLustreConfiguration Lustre { get; } = Request.LustreConfiguration ?? new CreateLustreConfiguration();

    public string DeploymentType => Lustre.DeploymentType ?? Shapes.DeploymentType.Scratch1;

    public string StorageType => Request.StorageType ?? Shapes.StorageType.Ssd;

    /// <summary>Null for a combination that cannot be had; rules behind the one about that may rely on it.</summary>
    public Offer? Offer => Offer.Find(DeploymentType, StorageType);

    public bool Efa => Lustre.EfaEnabled ?? false;

    public int Throughput => Lustre.PerUnitStorageThroughput ?? 0;

    public int RetentionDays => Lustre.AutomaticBackupRetentionDays ?? 0;

    public CapacitySteps Steps => CapacitySteps.For(Offer!, Throughput, Efa);

    public string Version => Request.FileSystemTypeVersion ?? DefaultVersion;

    private string DefaultVersion => DeploymentType switch
    {
        Shapes.DeploymentType.Persistent2 when Lustre.MetadataConfiguration is null => "2.12",
        Shapes.DeploymentType.Persistent2 => "2.15",
        _ => "2.10",
    };
}
