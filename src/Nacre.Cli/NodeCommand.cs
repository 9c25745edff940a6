using System.CommandLine;
using Nacre.Server.Node;
using Nacre.Server.Node.Control;

namespace Nacre.Cli;

/// <summary>What commands to a running node have in common.</summary>
internal static class NodeCommand
{
    private const int Failed = 1;

    public static Option<string> DataOption() => new("--data")
    {
        Description = "Folder of the running node.",
        Required = true,
        HelpName = "DIR",
    };

    /// <summary>Asks the node and shows its answer; why it refuses goes to standard error, in one line.</summary>
    public static async Task<int> RunAsync(
        string data, ControlRequest request, Action<NodeStatus> show, CancellationToken cancellationToken)
    {
        try
        {
            show(await ControlClient.AskAsync(data, request, cancellationToken));
            return 0;
        }
        catch (NodeConfigurationException e)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Failed;
        }
    }
}
