using System.CommandLine;
using Nacre.Server.Node;
using Nacre.Server.Node.Control;

namespace Nacre.Cli;

/// <summary><c>nacre ost add</c>: adds OSTs to a file system of a running node.</summary>
internal static class OstCommand
{
    public static Command Create() => new("ost", "Object storage targets of a running node.") { CreateAdd() };

    private static Command CreateAdd()
    {
        var data = NodeCommand.DataOption();
        var fileSystem = new Option<string>("--file-system") { Description = "Which file system.", Required = true, HelpName = "NAME" };
        var count = new Option<int>("--count") { Description = "How many.", DefaultValueFactory = _ => 1, HelpName = "N" };
        var command = new Command("add", "Add OSTs; mounted clients use them within seconds.") { data, fileSystem, count };
        command.SetAction((parsed, cancellationToken) => NodeCommand.RunAsync(
            parsed.GetRequiredValue(data),
            new ControlRequest(ControlRequest.AddOsts, parsed.GetRequiredValue(fileSystem), parsed.GetValue(count)),
            status => Show(status, parsed.GetRequiredValue(fileSystem)),
            cancellationToken));
        return command;
    }

    private static void Show(NodeStatus status, string name)
    {
        var fileSystem = status.FileSystems.First(candidate => candidate.Name == name);
        Console.WriteLine($"file system {name}: {fileSystem.Targets.Count(target => target.CapacityBytes is not null)} OSTs, {fileSystem.CapacityGib} GiB");
    }
}
