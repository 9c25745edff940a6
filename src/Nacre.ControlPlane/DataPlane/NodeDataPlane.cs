using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.DataPlane;

/// <summary>The servers of this very process.</summary>
/// <param name="advertise">Address to tell to clients where it is not the node's own: behind a forwarder.</param>
public sealed partial class NodeDataPlane(NacreNode node, IPAddress? advertise, ILogger<NodeDataPlane> log) : IDataPlane
{
    /// <inheritdoc/>
    public string Address => (advertise ?? node.Nid.Address).ToString();

    /// <inheritdoc/>
    public IReadOnlyCollection<string> MountNames => [.. node.FileSystems.Select(record => record.Name)];

    /// <inheritdoc/>
    public Task EnsureAsync(FileSystemShape shape, CancellationToken cancellationToken)
    {
        var wish = new FileSystemWish(shape.MountName, shape.OstCount, shape.CapacityGib, RecordOf(shape.RootSquash));
        try
        {
            wish.Check();
        }
        catch (NodeConfigurationException e)
        {
            // What is asked for is impossible, and stays so.
            throw new DataPlaneException(e.Message, isPermanent: true, e);
        }

        return RunAsync("make", shape.MountName, () => node.EnsureFileSystemAsync(wish, cancellationToken));
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string mountName, CancellationToken cancellationToken) =>
        RunAsync("remove", mountName, () => node.RemoveFileSystemAsync(mountName, cancellationToken));

    private async Task RunAsync(string doing, string mountName, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Paths and the like are for the log; whoever calls the API may be somebody else.
            LogFailed(log, e, doing, mountName);
            throw new DataPlaneException(Explain(e), isPermanent: false, e);
        }
    }

    private static string Explain(Exception e) => e switch
    {
        ErrnoException { Errno: Errno.ENOSPC } or IOException { HResult: Errno.ENOSPC } => "The disk of the file servers is full.",
        TimeoutException => "Requests of its clients do not end.",
        ObjectDisposedException => "The file servers are stopping.",
        _ => "The storage of the file servers failed; their log says how.",
    };

    private static SquashRecord? RecordOf(RootSquash? squash) =>
        squash is null ? null : new SquashRecord(squash.Uid, squash.Gid, squash.ExceptNids);

    [LoggerMessage(5101, LogLevel.Error, "could not {Doing} file system {MountName}")]
    private static partial void LogFailed(ILogger log, Exception failure, string doing, string mountName);
}
