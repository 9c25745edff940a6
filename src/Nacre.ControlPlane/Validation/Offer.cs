using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>One combination of deployment and storage type that can be had, and what can be ordered with it.</summary>
internal sealed record Offer(string DeploymentType, string StorageType)
{
    /// <summary>MB/s per TiB, one of which has to be ordered; none can where it is empty.</summary>
    public IReadOnlyList<int> Throughputs { get; init; } = [];

    /// <summary>One of which has to be ordered; none can where it is empty.</summary>
    public IReadOnlyList<string> DriveCacheTypes { get; init; } = [];

    /// <summary>Ordered by throughput, without a capacity.</summary>
    public bool IsElastic { get; init; }

    public bool IsPersistent => !Shapes.DeploymentType.IsScratch(DeploymentType);

    public static readonly IReadOnlyList<Offer> All =
    [
        new(Shapes.DeploymentType.Scratch1, Shapes.StorageType.Ssd),
        new(Shapes.DeploymentType.Scratch2, Shapes.StorageType.Ssd),
        new(Shapes.DeploymentType.Persistent1, Shapes.StorageType.Ssd) { Throughputs = [50, 100, 200] },
        new(Shapes.DeploymentType.Persistent1, Shapes.StorageType.Hdd) { Throughputs = [12, 40], DriveCacheTypes = ["NONE", "READ"] },
        new(Shapes.DeploymentType.Persistent2, Shapes.StorageType.Ssd) { Throughputs = [125, 250, 500, 1000] },
        new(Shapes.DeploymentType.Persistent2, Shapes.StorageType.IntelligentTiering) { IsElastic = true },
    ];

    public static Offer? Find(string deploymentType, string storageType) =>
        All.FirstOrDefault(offer => offer.DeploymentType == deploymentType && offer.StorageType == storageType);

    public static IEnumerable<string> StorageTypesOf(string deploymentType) =>
        All.Where(offer => offer.DeploymentType == deploymentType).Select(offer => offer.StorageType);
}

/// <summary>Capacities that can be ordered, GiB.</summary>
/// <param name="Step">Any multiple can be ordered, and grown to.</param>
/// <param name="AtCreation">Smaller ones a file system can begin with.</param>
internal sealed record CapacitySteps(int Step, params IReadOnlyList<int> AtCreation)
{
    /// <param name="throughput">MB/s per TiB; 0 for none.</param>
    public static CapacitySteps For(Offer offer, int throughput, bool efa) => offer switch
    {
        { DeploymentType: DeploymentType.Scratch1 } => new(3600, 1200, 2400),
        { StorageType: StorageType.Hdd } => new(throughput == 12 ? 6000 : 1800),
        _ when efa && throughput > 0 => new(Sizing.EfaStepGib(throughput)),
        _ => new(2400, 1200),
    };

    public bool AllowsCreation(int gib) => AtCreation.Contains(gib) || IsMultiple(gib);

    public bool IsMultiple(int gib) => gib > 0 && gib % Step == 0;

    /// <summary>In the words of the service: <c>1200 or a multiple of 2400</c>.</summary>
    public string Creation => AtCreation.Count == 0 ? Growth : $"{string.Join(", ", AtCreation)} or {Growth}";

    public string Growth => $"a multiple of {Step}";
}
