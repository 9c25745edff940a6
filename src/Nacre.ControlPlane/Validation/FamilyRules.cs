using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Configurations of other families of file systems have no place in requests about Lustre.</summary>
internal static class FamilyRules
{
    /// <returns>The name of one that is there; null for none.</returns>
    public static string? Foreign(FamilyRequest request) => request switch
    {
        { WindowsConfiguration: not null } => nameof(request.WindowsConfiguration),
        { OntapConfiguration: not null } => nameof(request.OntapConfiguration),
        { OpenZFSConfiguration: not null } => nameof(request.OpenZFSConfiguration),
        _ => null,
    };
}
