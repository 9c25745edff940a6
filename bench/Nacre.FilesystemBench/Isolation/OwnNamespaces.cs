using System.Diagnostics;
using System.Runtime.InteropServices;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.Isolation;

/// <summary>
/// The run lives in network, mount and process namespaces of its own. All servers find their usual ports free, on an address that is not 127.0.0.1 (two of
/// the peers refuse that) and is known to this run's loopback device alone; and when the run ends, however it ends, the kernel ends
/// all its processes and takes all its mounts away.
/// </summary>
internal static class OwnNamespaces
{
    /// <summary>The servers' address, on the loopback device of the run's own network.</summary>
    public const string Address = "10.77.0.1";

    /// <summary>Set for the process inside, to the folder it may use.</summary>
    private const string FolderVariable = "NACRE_FSBENCH_FOLDER";

    /// <summary>Null outside.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable(FolderVariable);

    /// <summary>Runs this program again with the same arguments, inside. Returns its exit code, when nothing of it is left.</summary>
    /// <param name="parent">Where the run's folder is made.</param>
    /// <exception cref="ToolException">The namespaces cannot be made.</exception>
    public static int RunInside(string[] arguments, string parent)
    {
        if (!Environment.IsPrivilegedProcess) throw new ToolException("only root can mount all of these file systems in namespaces of their own");
        var folder = Path.Combine(Path.GetFullPath(parent), $"nacre-fsbench-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            using var inside = Start(arguments, folder);
            // Its end is what a signal asks for: it is told through the pipe, which also ends with this process, by whatever signal.
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
            inside.WaitForExit();
            return inside.ExitCode;

            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                inside.StandardInput.Close();
            }
        }
        finally
        {
            // All mounts below it were in the namespace that is gone.
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What has to be so before anything is started inside.</summary>
    /// <param name="memoryGib">Size of an ext4 in memory that becomes the run's folder; 0 to stay on the disk of the folder.</param>
    public static async Task PrepareAsync(string folder, int memoryGib, CancellationToken ct)
    {
        await RunAsync("ip", "link", "set", "lo", "up");
        await RunAsync("ip", "address", "add", Address + "/32", "dev", "lo");
        // Sockets and process numbers that programs leave there are not for the machine.
        await RunAsync("mount", "-t", "tmpfs", "tmpfs", "/run");
        if (memoryGib > 0) await MountMemoryAsync();

        async Task MountMemoryAsync()
        {
            var memory = Directory.CreateDirectory(Path.Combine(folder, "memory")).FullName;
            await RunAsync("mount", "-t", "tmpfs", "-o", "size=100%", "tmpfs", memory);
            var image = Path.Combine(memory, "image");
            using (var file = File.Create(image)) file.SetLength((long)memoryGib << 30);
            await RunAsync("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
            await RunAsync("mount", "-o", "loop", image, folder);
        }

        Task RunAsync(string program, params string[] arguments) => Tool.RunAsync(program, arguments, TimeSpan.FromMinutes(1), ct);
    }

    /// <summary>Cancelled by a signal, and when the process outside asks for the end or is gone.</summary>
    public static void StopWithOutside(CancellationTokenSource stop)
    {
        _ = Task.Run(() =>
        {
            while (Console.In.Read() >= 0)
            {
            }

            stop.Cancel();
        });
    }

    private static Process Start(string[] arguments, string folder)
    {
        // In a session of its own, where Ctrl-C does not reach the servers before their mounts are gone. The shell is the first process inside, which has
        // to bury those that lost their parent.
        List<string> command =
        [
            "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", "\"$@\"; exit $?", "bash", Environment.ProcessPath!,
        ];
        // Under `dotnet nacre-fsbench.dll` the program is an argument of the host.
        if (Path.GetFileName(Environment.ProcessPath) == "dotnet") command.Add(typeof(OwnNamespaces).Assembly.Location);
        var start = new ProcessStartInfo("setsid", command.Concat(arguments)) { RedirectStandardInput = true };
        start.Environment[FolderVariable] = folder;
        // Those that a service manager sets lead to sockets outside.
        start.Environment.Remove("NOTIFY_SOCKET");
        return Tool.Start(start);
    }
}
