using Microsoft.Extensions.Logging;

namespace Nacre.ControlPlane.Audit;

/// <summary>Log messages of the audit log: event ids 8060..8069.</summary>
internal static partial class Log
{
    [LoggerMessage(8060, LogLevel.Error, "The audit log in {Folder} cannot be written, calls go on without it: {Reason}")]
    public static partial void WriteFailed(ILogger log, string folder, string reason);

    [LoggerMessage(8061, LogLevel.Warning, "The audit log in {Folder} is written again; {Lost} lines are missing")]
    public static partial void Recovered(ILogger log, string folder, int lost);
}
