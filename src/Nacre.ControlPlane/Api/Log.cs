using Microsoft.Extensions.Logging;

namespace Nacre.ControlPlane.Api;

/// <summary>Log messages of the endpoint: event ids 8000..8049.</summary>
internal static partial class Log
{
    [LoggerMessage(8000, LogLevel.Information, "The FSx API listens at {Url}; keys are in {Credentials}")]
    public static partial void Listening(ILogger log, Uri url, string credentials);

    [LoggerMessage(8001, LogLevel.Error, "{Service} {Operation} failed; request id {RequestId}")]
    public static partial void CallFailed(ILogger log, string service, string operation, string requestId, Exception failure);

    [LoggerMessage(8002, LogLevel.Warning, "The FSx API is reachable from other machines at {Url} without TLS: what is asked and answered can be read on the way")]
    public static partial void OpenWithoutTls(ILogger log, Uri url);

    [LoggerMessage(EventId = 8003, Message = "Left out {Lines} lines of the kind of the next one")]
    public static partial void LeftOut(ILogger log, LogLevel level, int lines);
}
