using Microsoft.Extensions.Logging;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse;

/// <summary>Log messages of the FUSE layer: event ids 7000..7099.</summary>
internal static partial class Log
{
    [LoggerMessage(7000, LogLevel.Information, "Mounted {Source} at {MountPoint}: FUSE protocol 7.{Minor}, {Threads} threads")]
    public static partial void Mounted(ILogger log, string source, string mountPoint, uint minor, int threads);

    [LoggerMessage(7001, LogLevel.Information, "{MountPoint} is no longer mounted")]
    public static partial void Unmounted(ILogger log, string mountPoint);

    [LoggerMessage(7002, LogLevel.Error, "{Opcode} of node {NodeId} failed unexpectedly")]
    public static partial void OperationFailed(ILogger log, FuseOpcode opcode, ulong nodeId, Exception error);

    [LoggerMessage(7003, LogLevel.Error, "Reading from /dev/fuse failed: {Error}")]
    public static partial void ReadFailed(ILogger log, string error);

    [LoggerMessage(7004, LogLevel.Debug, "INIT: kernel 7.{Minor}, offered {Offered:x}, taken {Taken:x}")]
    public static partial void Initialised(ILogger log, uint minor, ulong offered, ulong taken);

    [LoggerMessage(7005, LogLevel.Debug, "{What} of node {NodeId} goes on in the background")]
    public static partial void DropInBackground(ILogger log, string what, ulong nodeId);

    [LoggerMessage(7006, LogLevel.Warning, "The kernel did not give up what it caches of node {NodeId} within {Seconds} s; its lock is given up without")]
    public static partial void DropTookTooLong(ILogger log, ulong nodeId, double seconds);

    [LoggerMessage(7007, LogLevel.Debug, "The answer to {Opcode} was refused: {Error}")]
    public static partial void ReplyRefused(ILogger log, FuseOpcode opcode, string error);

    [LoggerMessage(7008, LogLevel.Warning, "The kernel could not drop what it caches of node {NodeId}: {Error}")]
    public static partial void DropFailed(ILogger log, ulong nodeId, string error);

    [LoggerMessage(7009, LogLevel.Warning, "{MountPoint} is in use: it is detached, and goes when its last user has")]
    public static partial void Busy(ILogger log, string mountPoint);

    [LoggerMessage(7010, LogLevel.Debug, "The kernel reads ahead by its default: {Reason}")]
    public static partial void NoReadAhead(ILogger log, string reason);

    [LoggerMessage(7011, LogLevel.Warning, "{Count} inodes are known, more than the bound, and this kernel cannot be asked to give some up (Linux 6.18 can): memory grows until it does by itself")]
    public static partial void CannotPrune(ILogger log, int count);

    [LoggerMessage(7012, LogLevel.Debug, "Asked the kernel to give up {Count} of {Known} inodes")]
    public static partial void Pruned(ILogger log, int count, int known);
}
