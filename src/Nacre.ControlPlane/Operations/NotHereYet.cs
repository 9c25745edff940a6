using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Operations;

/// <summary>Refusals because this version of Nacre lacks something that FSx has.</summary>
internal static class NotHereYet
{
    public static ApiException Backups() => new(ErrorCode.UnsupportedOperation, "This version of Nacre has no backups yet.");

    public static ApiException DataRepositories() => new(ErrorCode.UnsupportedOperation, "This version of Nacre has no data repositories yet.");

    public static ApiException FileCaches() => new(ErrorCode.UnsupportedOperation, "This version of Nacre has no file caches yet.");
}
