using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nacre.Cli.Mount;
using Nacre.Client;
using Nacre.Fuse;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli;

/// <summary>
/// <c>nacre mount</c>: mounts a Lustre file system through FUSE. In the background unless told otherwise: the command returns when the file system
/// can be used, or says why it cannot.
/// </summary>
internal static class MountCommand
{
    private const int Failed = 1;

    /// <summary>Time for those who use the file system when it is told to go.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static bool IsDevice(string argument) => !argument.StartsWith('-') && argument.Contains(":/", StringComparison.Ordinal);

    public static Command Create()
    {
        var device = new Argument<string>("device") { Description = "What to mount: 10.0.0.1@tcp:/NAME, or a folder in it, 10.0.0.1@tcp:/NAME/FOLDER." };
        var folder = new Argument<string>("folder") { Description = "Where to mount it." };
        var options = new Option<string[]>("-o")
        {
            Description = "Mount options, separated by commas; see docs/operating.md.",
            HelpName = "OPTIONS",
            DefaultValueFactory = _ => [],
        };
        var foreground = new Option<bool>("--foreground", "-f") { Description = "Stay in the foreground and log to standard output." };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Log more." };
        var log = new Option<string?>("--log") { Description = "File the log goes to in the background.", HelpName = "FILE" };
        var daemon = new Option<bool>("--daemon") { Hidden = true };
        // mount(8) gives these to its helpers.
        var type = new Option<string?>("-t") { Hidden = true };
        var noTable = new Option<bool>("-n") { Hidden = true };
        var sloppy = new Option<bool>("-s") { Hidden = true };
        var command = new Command("mount", "Mount a file system, without a kernel module of Lustre.")
        {
            device, folder, options, foreground, verbose, log, daemon, type, noTable, sloppy,
        };
        command.SetAction((parsed, _) => RunAsync(new Request(
            parsed.GetRequiredValue(device),
            parsed.GetRequiredValue(folder),
            string.Join(',', parsed.GetValue(options) ?? []),
            parsed.GetValue(foreground),
            parsed.GetValue(daemon),
            parsed.GetValue(verbose),
            parsed.GetValue(log))));
        return command;
    }

    private static async Task<int> RunAsync(Request request)
    {
        try
        {
            if (Remount.IsAskedBy(request.Options))
            {
                Remount.Run(request.Folder, request.Options);
                return 0;
            }

            var arguments = MountArguments.Parse(request.Device, request.Options, Environment.IsPrivilegedProcess);
            CheckFolder(request);
            if (!request.Foreground && !request.IsDaemon) return await StartDaemonAsync(request);
            if (request.IsDaemon) Daemon.LeaveSession();
            await ServeAsync(request, arguments);
            return 0;
        }
        catch (Exception e) when (e is FormatException or MountException or FuseMountException)
        {
            return Fail(request, e.Message);
        }
        catch (OperationCanceledException)
        {
            return Fail(request, "stopped before it was mounted");
        }
    }

    private static int Fail(Request request, string why)
    {
        if (request.IsDaemon) Daemon.Say(why);
        else Console.Error.WriteLine($"nacre: {why}");
        return Failed;
    }

    /// <summary>What can be said before anybody is asked over the network.</summary>
    private static void CheckFolder(Request request)
    {
        if (MountTable.Find(request.Folder) is { Type: "fuse.nacre" } mounted)
        {
            throw new FuseMountException($"{mounted.Source} is mounted at {request.Folder} already");
        }

        if (!Directory.Exists(request.Folder))
        {
            throw new FuseMountException(File.Exists(request.Folder) ? $"{request.Folder} is not a folder" : $"there is no folder {request.Folder}");
        }
    }

    private static async Task<int> StartDaemonAsync(Request request)
    {
        List<string> arguments = ["mount", request.Device, Path.GetFullPath(request.Folder), "--daemon"];
        if (request.Options.Length > 0) arguments.AddRange(["-o", request.Options]);
        if (request.Verbose) arguments.Add("--verbose");
        if (request.LogFile is { } file) arguments.AddRange(["--log", Path.GetFullPath(file)]);
        if (await Daemon.StartAsync(arguments) is not { } why) return 0;
        await Console.Error.WriteLineAsync($"nacre: {why}");
        return Failed;
    }

    private static async Task ServeAsync(Request request, MountArguments arguments)
    {
        using var logging = MakeLog(request);
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await using var lustre = await LustreMount.MountAsync(arguments.Lustre with { Logging = logging }, stop.Token);
        await using (var fuse = await FuseMount.MountAsync(
            lustre.Vfs, request.Device, request.Folder, arguments.Fuse, logging.CreateLogger<FuseMount>(), stop.Token))
        {
            MountRecord.Write(fuse.DeviceNumber, arguments.Fuse.ReadOnly);
            if (request.IsDaemon) Daemon.SayReady();
            await fuse.Ended.WaitAsync(stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await fuse.UnmountAsync(Patience);
            // Before the mount is cut off under whoever still uses it: what they wrote is written back.
            await lustre.UnmountAsync();
            MountRecord.Remove(fuse.DeviceNumber);
        }

        void Stop(PosixSignalContext context)
        {
            // The second time the runtime's own way is taken, which ends the process.
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    private static ILoggerFactory MakeLog(Request request) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(request.Verbose ? LogLevel.Debug : LogLevel.Information);
        if (!request.IsDaemon)
        {
            builder.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            });
        }
        else if (request.LogFile is { } file)
        {
            builder.AddProvider(new FileLogProvider(file));
        }
    });

    private sealed record Request(
        string Device, string Folder, string Options, bool Foreground, bool IsDaemon, bool Verbose, string? LogFile);
}
