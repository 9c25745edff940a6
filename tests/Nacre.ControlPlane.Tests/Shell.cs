using System.Diagnostics;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests;

/// <summary>Runs programs of the machine.</summary>
internal static class Shell
{
    /// <summary>Debian's own, which has boto3; another may come first on PATH.</summary>
    public const string Python = "/usr/bin/python3";

    public const string Aws = "/usr/bin/aws";

    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another exit code; the message has what it wrote.</exception>
    public static string Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, int exitCode = 0) =>
        RunAsync(program, arguments, environment, exitCode).GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, int exitCode = 0)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(4 * Eventually.Limit);
        if (process.ExitCode != exitCode)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}, not {exitCode}: {await output}{await error}");
        return await output + (exitCode == 0 ? "" : await error);
    }
}
