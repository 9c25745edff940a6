using System.Diagnostics;

namespace Nacre.EndToEnd.Harness;

/// <summary>Programs as processes of their own.</summary>
internal static class Programs
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>The executable that was built with the tests.</summary>
    public static string NacreCommand => Path.Combine(AppContext.BaseDirectory, "nacre");

    /// <returns>The exit status, and what was said on both outputs without the last line's end.</returns>
    public static async Task<(int Status, string Said)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Limit);
        return (process.ExitCode, (await output + await error).TrimEnd('\n'));
    }
}
