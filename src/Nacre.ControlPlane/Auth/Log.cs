using Microsoft.Extensions.Logging;

namespace Nacre.ControlPlane.Auth;

/// <summary>Log messages about credentials: event ids 8050..8059.</summary>
internal static partial class Log
{
    [LoggerMessage(8050, LogLevel.Information, "Credentials file {Path} read again: {Count} keys")]
    public static partial void CredentialsRead(ILogger log, string path, int count);

    [LoggerMessage(8051, LogLevel.Error, "Credentials file {Path} cannot be used, the keys of before are kept: {Reason}")]
    public static partial void CredentialsKept(ILogger log, string path, string reason);
}
