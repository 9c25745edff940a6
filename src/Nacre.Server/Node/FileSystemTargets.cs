using Microsoft.Extensions.Logging;
using Nacre.PtlRpc;

namespace Nacre.Server.Node;

/// <summary>The targets of one file system on this node: its MDT and its OSTs, with their stores.</summary>
internal sealed class FileSystemTargets : IAsyncDisposable
{
    /// <summary>What the file system is made of.</summary>
    public FileSystemRecord Record { get; private set; } = new("", 0, 0);

    public void Start(FileSystemRecord record) => Record = record;

    public void AddOst(FileSystemRecord record) => Record = record;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
