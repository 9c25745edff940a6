using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nacre.Cli.Mount;

/// <summary>
/// A command that goes on in the background. The same executable is started again and says over its standard output, in one line, that it is ready
/// or why not; the one that was called waits for that line. (.NET cannot fork.)
/// </summary>
internal static partial class Daemon
{
    /// <summary>The line that says all is well; any other line is an error.</summary>
    private const string Ready = "ready";

    /// <returns>Null when the other process is ready, else what it says.</returns>
    public static async Task<string?> StartAsync(IEnumerable<string> arguments)
    {
        // All three, or whoever reads the caller's outputs to their end would wait for the daemon's.
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        string? line = await process.StandardOutput.ReadLineAsync();
        return line == Ready ? null : line ?? "the mount process ended without a word";
    }

    /// <summary>Leaves the terminal's session, so that neither Ctrl-C there nor its end is meant for this process.</summary>
    public static void LeaveSession()
    {
        _ = setsid();
        // Not to keep the folder it was called from busy.
        Directory.SetCurrentDirectory("/");
    }

    /// <summary>Tells the caller, and lets go of its terminal.</summary>
    public static void SayReady() => Say(Ready);

    public static void Say(string line)
    {
        Console.Out.WriteLine(line.ReplaceLineEndings("; "));
        Console.Out.Flush();
        int nowhere = open("/dev/null", ReadWrite);
        for (int fd = 0; fd <= 2; fd++) _ = dup2(nowhere, fd);
    }

    private const int ReadWrite = 2;

    [LibraryImport("libc")]
    private static partial int setsid();

    [LibraryImport("libc")]
    private static partial int dup2(int fd, int onto);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}
