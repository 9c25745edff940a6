using Microsoft.Extensions.Logging;

namespace Nacre.Ldlm.Engine;

/// <summary>Events 3000 to 3099: the lock manager.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Warning,
        "{Namespace}: {Client} has not given up lock {Handle:x} on {Resource} in time and is evicted")]
    public static partial void TimerExpired(ILogger log, string @namespace, string client, string resource, ulong handle);

    [LoggerMessage(3002, LogLevel.Warning, "{Namespace}: {Client} left a {Kind} callback unanswered and is evicted")]
    public static partial void CallbackUnanswered(ILogger log, Exception cause, string @namespace, string client, CallbackKind kind);

    [LoggerMessage(3003, LogLevel.Warning,
        "{Namespace}: {Client} answered a {Kind} callback with status {Status} and is evicted")]
    public static partial void CallbackRefused(ILogger log, string @namespace, string client, CallbackKind kind, int status);

    [LoggerMessage(3004, LogLevel.Error, "{Namespace}: a callback to {Client} failed inside the server")]
    public static partial void CallbackFailed(ILogger log, Exception cause, string @namespace, string client);

    [LoggerMessage(3005, LogLevel.Debug, "{Namespace}: {Client} does not know lock {Handle:x} any more; it is dropped")]
    public static partial void LockUnknownToClient(ILogger log, string @namespace, string client, ulong handle);

    [LoggerMessage(3006, LogLevel.Warning, "{Namespace}: no attributes for {Resource} at the grant of a lock: errno {Errno}")]
    public static partial void NoLvb(ILogger log, string @namespace, string resource, int errno);

    [LoggerMessage(3007, LogLevel.Information, "{Namespace}: a lock request of {Client} on {Resource} closed a deadlock")]
    public static partial void Deadlock(ILogger log, string @namespace, string client, string resource);
}
