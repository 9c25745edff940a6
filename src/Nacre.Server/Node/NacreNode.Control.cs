using Nacre.Server.Node.Control;

namespace Nacre.Server.Node;

/// <summary>What can be asked of a running node, in process or through its control socket.</summary>
public sealed partial class NacreNode
{
    /// <summary>What the node serves now.</summary>
    public NodeStatus Status => new(
        Nid.ToString(), LNetPort, _rpc.Exports(_mgs).Count, [.. _fileSystems.Values.Select(targets => targets.Status)]);

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
