using System.Diagnostics;
using System.Net.Sockets;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>How Nacre is run.</summary>
/// <param name="Launcher">The <c>nacre</c> command.</param>
/// <param name="MountOptions">For <c>-o</c> of the mounts; may be empty.</param>
internal sealed record NacreOptions(string Launcher, int Osts, string MountOptions);

/// <summary><c>nacre up</c> and <c>nacre mount</c>.</summary>
internal sealed class NacreFileSystem(string folder, NacreOptions options) : FileSystemUnderTest(folder)
{
    private const int Port = 988;

    public override string Name => "nacre";

    public override bool IsPeer => false;

    public override string? Missing => File.Exists(options.Launcher) ? null : $"there is no {options.Launcher}: name the command with --nacre";

    public override async Task<string> DescribeAsync(CancellationToken ct)
    {
        var mount = options.MountOptions.Length > 0 ? $", mounted with -o {options.MountOptions}" : "";
        return $"nacre {(await RunAsync(options.Launcher, ["--version"], ct)).Trim()}, {options.Osts} OST(s){mount}";
    }

    protected override async Task StartServersAsync(CancellationToken ct)
    {
        var log = Path.Combine(Folder, "server.log");
        var start = new ProcessStartInfo(
            "bash",
            [
                "-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, options.Launcher, "up", "--data", Path.Combine(Folder, "data"), "--nid", $"{Address}@tcp",
                "--file-system", $"bench,osts={options.Osts}",
            ]);
        using var server = Tool.Start(start);
        await Tool.UntilAsync(
            $"an answer on {Address}:{Port}",
            Patience,
            () => server.HasExited ? throw new ToolException("the server ended: " + File.ReadLines(log).LastOrDefault()) : Answers(),
            ct);
    }

    protected override Task MountCommandAsync(string at, CancellationToken ct)
    {
        string[] more = options.MountOptions.Length > 0 ? ["-o", options.MountOptions] : [];
        return RunAsync(options.Launcher, ["mount", $"{Address}@tcp:/bench", at, "--log", at + ".log", .. more], ct);
    }

    protected override Task UnmountCommandAsync(string at) => RunAsync(options.Launcher, ["umount", at], CancellationToken.None);

    private static bool Answers()
    {
        try
        {
            using var probe = new TcpClient(Address, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
