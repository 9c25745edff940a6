namespace Nacre.Server.Node;

/// <summary>What a node serves, and to how many, at one moment.</summary>
/// <param name="Clients">Clients connected to the management target: one a mount.</param>
public sealed record NodeStatus(string Nid, int LNetPort, int Clients, IReadOnlyList<FileSystemStatus> FileSystems);

/// <summary>One file system of a node.</summary>
/// <param name="CapacityGib">Of all OSTs together, as configured.</param>
public sealed record FileSystemStatus(string Name, long CapacityGib, IReadOnlyList<TargetStatus> Targets);

/// <summary>One target.</summary>
/// <param name="Name">As in Lustre: <c>NAME-MDT0000</c>, <c>NAME-OST0001</c>.</param>
/// <param name="Clients">Clients connected to it; they leave an OST they do not use.</param>
/// <param name="CapacityBytes">Configured; null for an MDT, which has the disk.</param>
/// <param name="UsedBytes">What its objects occupy; null for an MDT.</param>
/// <param name="FreeBytes">What can still be written, which the disk may limit; null for an MDT.</param>
public sealed record TargetStatus(string Name, int Clients, long? CapacityBytes, long? UsedBytes, long? FreeBytes);
