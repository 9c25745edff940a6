using System.CommandLine;
using System.Text.Json;
using Nacre.Server.Node;
using Nacre.Server.Node.Control;

namespace Nacre.Cli;

/// <summary><c>nacre status</c>: what a running node serves, and to how many.</summary>
internal static class StatusCommand
{
    private const int BitsOfGib = 30;

    public static Command Create()
    {
        var data = NodeCommand.DataOption();
        var json = new Option<bool>("--json") { Description = "For programs: one line of JSON." };
        var command = new Command("status", "Show targets, connected clients and capacity of a running node.") { data, json };
        command.SetAction((parsed, cancellationToken) => NodeCommand.RunAsync(
            parsed.GetRequiredValue(data),
            new ControlRequest(ControlRequest.ShowStatus),
            parsed.GetValue(json) ? ShowJson : Show,
            cancellationToken));
        return command;
    }

    private static void ShowJson(NodeStatus status) =>
        Console.WriteLine(JsonSerializer.Serialize(new ControlReply(null, status), ControlMessagesContext.Default.ControlReply));

    private static void Show(NodeStatus status)
    {
        Console.WriteLine($"{status.Nid}, port {status.LNetPort}: {status.Clients} clients at the MGS");
        foreach (var fileSystem in status.FileSystems)
        {
            Console.WriteLine($"file system {fileSystem.Name}: {fileSystem.CapacityGib} GiB");
            foreach (var target in fileSystem.Targets) Console.WriteLine(Line(target));
        }
    }

    private static string Line(TargetStatus target) => target.CapacityBytes is { } capacity
        ? $"  {target.Name}  {target.Clients,5} clients  {Gib(target.UsedBytes ?? 0)} of {Gib(capacity)} GiB used, {Gib(target.FreeBytes ?? 0)} GiB free"
        : $"  {target.Name}  {target.Clients,5} clients";

    private static string Gib(long bytes) => $"{bytes / (double)(1L << BitsOfGib),9:0.0}";
}
