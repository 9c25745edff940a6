using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Catalog;

/// <summary>What the catalog keeps of a backup.</summary>
public sealed record BackupEntry(Backup Description);

/// <summary>What the catalog keeps of a data repository association.</summary>
public sealed record AssociationEntry(string OwnerId, DataRepositoryAssociation Description);

/// <summary>What the catalog keeps of a data repository task.</summary>
public sealed record TaskEntry(string OwnerId, DataRepositoryTask Description);
