using System.CommandLine;
using System.Text.Json;
using Nacre.Cli.Mount;
using Nacre.Client.Diagnosis;

namespace Nacre.Cli;

/// <summary>
/// <c>nacre diagnose</c>: why a file system cannot be mounted. Exit status 0: it can; 1: it cannot; 2: the command is wrong; 3: it can, with warnings.
/// </summary>
internal static class DiagnoseCommand
{
    private const int Good = 0, Bad = 1, Misused = 2, Doubtful = 3;

    private static readonly JsonSerializerOptions OneLine = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var device = new Argument<string>("device") { Description = "What is to be mounted: 10.0.0.1@tcp:/NAME." };
        var options = new Option<string[]>("-o")
        {
            Description = "Mount options, as of nacre mount: port=N.",
            HelpName = "OPTIONS",
            DefaultValueFactory = _ => [],
        };
        var json = new Option<bool>("--json") { Description = "One JSON object a line: step, subject, verdict (ok, warning, failed), message, advice." };
        var command = new Command("diagnose", "Find out why a file system cannot be mounted, and what to do.") { device, options, json };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetRequiredValue(device), string.Join(',', parsed.GetValue(options) ?? []), parsed.GetValue(json), Console.Out, ct));
        return command;
    }

    internal static async Task<int> RunAsync(string device, string options, bool json, TextWriter output, CancellationToken ct)
    {
        MountArguments arguments;
        try
        {
            arguments = MountArguments.Parse(device, options, Environment.IsPrivilegedProcess);
        }
        catch (FormatException e)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Misused;
        }

        var worst = await MountDiagnosis.RunAsync(arguments.Lustre, finding => Write(output, finding, json), ct);
        if (!json) output.Write(Summary(worst, device));
        return worst switch
        {
            Verdict.Ok => Good,
            Verdict.Warning => Doubtful,
            _ => Bad,
        };
    }

    private static string Summary(Verdict worst, string device) => worst switch
    {
        Verdict.Ok => $"\n{device} can be mounted\n",
        Verdict.Warning => $"\n{device} can be mounted; mind the warnings\n",
        _ => $"\n{device} cannot be mounted, or not be used in full\n",
    };

    private static void Write(TextWriter output, Finding finding, bool json)
    {
        if (json)
        {
            var line = new { finding.Step, finding.Subject, Verdict = finding.Verdict.ToString().ToLowerInvariant(), finding.Message, finding.Advice };
            output.Write(JsonSerializer.Serialize(line, OneLine) + "\n");
            return;
        }

        var mark = finding.Verdict switch
        {
            Verdict.Ok => "ok  ",
            Verdict.Warning => "WARN",
            _ => "FAIL",
        };
        output.Write($"{mark}  {finding.Step,-14} {finding.Message}\n");
        if (finding.Advice.Length > 0) output.Write($"      {"",-14} -> {finding.Advice}\n");
    }
}
