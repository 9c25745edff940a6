using Nacre.Server.Node.Control;

namespace Nacre.Server.Node;

/// <summary>What can be asked of a running node, in process or through its control socket.</summary>
public sealed partial class NacreNode
{
    /// <summary>One change of what the node is made of at a time.</summary>
    private readonly SemaphoreSlim _changing = new(1);

    /// <summary>What the node serves now.</summary>
    public NodeStatus Status => new(
        Nid.ToString(), LNetPort, _rpc.Exports(_mgs).Count, [.. _fileSystems.Values.Select(targets => targets.Status)]);

    /// <summary>
    /// Adds OSTs to a file system, one after the other; mounted clients use them within seconds. The capacity of the file system grows
    /// by that of one of its OSTs with each.
    /// </summary>
    /// <exception cref="NodeConfigurationException">There is no such file system, or it would have too many.</exception>
    public async Task AddOstsAsync(string fileSystem, int count, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            CheckGrowth(fileSystem, count);
            for (var added = 0; added < count; added++)
            {
                await AddOstUnderLockAsync(fileSystem, cancellationToken);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    private void CheckGrowth(string fileSystem, int count)
    {
        if (!_fileSystems.TryGetValue(fileSystem, out var targets))
        {
            throw new NodeConfigurationException($"this node has no file system '{fileSystem}'");
        }

        if (count < 1 || count > FileSystemSpec.MaxOsts - targets.Record.OstCount)
        {
            throw new NodeConfigurationException(
                $"{count} OSTs cannot be added: file system '{fileSystem}' has {targets.Record.OstCount} of at most {FileSystemSpec.MaxOsts}");
        }
    }

    private async Task<ControlReply> AnswerAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        switch (request.Command)
        {
            case ControlRequest.ShowStatus:
                break;
            case ControlRequest.AddOsts:
                await AddOstsAsync(request.FileSystem ?? "", request.Count, cancellationToken);
                break;
            default:
                return new ControlReply($"this node does not know the command '{request.Command}'", null);
        }

        return new ControlReply(null, Status);
    }
}
