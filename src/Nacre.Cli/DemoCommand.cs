using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nacre.Cli.Demo;
using Nacre.Cli.Mount;
using Nacre.Client;
using Nacre.ControlPlane;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;
using Nacre.Fuse;
using Nacre.LNet;
using Nacre.Server.Node;

namespace Nacre.Cli;

/// <summary>
/// <c>nacre demo</c>: a node, a file system and a client in one process, to be tried out until Ctrl-C, which leaves nothing behind.
/// </summary>
internal static class DemoCommand
{
    private const int Failed = 1;

    /// <summary>Time for those who still use the mount when the demo is stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var mount = new Option<string>("--mount")
        {
            Description = "Folder to mount at: an empty one, or one to be made.",
            DefaultValueFactory = _ => "demo-mount",
            HelpName = "DIR",
        };
        var data = new Option<string?>("--data") { Description = "Folder to keep the files in. Without it they go with the demo.", HelpName = "DIR" };
        var port = new Option<int>("--port") { Description = "TCP port of the node; 0 for any that is free.", HelpName = "PORT" };
        var command = new Command("demo", "Try it: make a file system on this machine, mount it, and stay until Ctrl-C.") { mount, data, port };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetRequiredValue(mount), parsed.GetValue(data), parsed.GetValue(port), ct));
        return command;
    }

    private static async Task<int> RunAsync(string mount, string? data, int port, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            if (FuseCheck.Missing() is { } missing) throw new DemoException(missing);
            using var folders = DemoFolders.Take(mount, data);
            await ServeAsync(folders, port == 0 ? FindPort() : CheckPort(port), stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e) when (e is DemoException or NodeConfigurationException or MountException or FuseMountException or FormatException or FsxException
            or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Failed;
        }

        void Stop(PosixSignalContext context)
        {
            // The second time the runtime's own way is taken, which ends the process at once; the next demo puts right what that leaves.
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    private static async Task ServeAsync(DemoFolders folders, int port, CancellationToken ct)
    {
        using var logging = LoggerFactory.Create(builder => builder.AddProvider(new FileLogProvider(folders.Log)));
        var nid = Nid.FromTcp(IPAddress.Loopback);
        var options = new NodeOptions
        {
            DataFolder = folders.Node,
            Nid = nid,
            LNetPort = port,
            FileDescriptors = CheckedDescriptors(),
        };
        Console.WriteLine("starting a node, its file system and a client ...");
        await using var node = await NacreNode.StartAsync(options, TimeProvider.System, logging, ct);
        var api = new ControlPlaneOptions { DataFolder = folders.Node, Url = ApiUrl.Parse("http://127.0.0.1:0") };
        await using var control = await ControlPlaneHost.StartAsync(api, node, TimeProvider.System, logging, ct);
        var made = await DemoFileSystem.GetAsync(control.Url, folders.Node, ct);
        var device = $"{nid}:/{made.LustreConfiguration.MountName}";
        await using var lustre = await LustreMount.MountAsync(MountOptions.Parse(device) with { Port = port, Logging = logging }, ct);
        await using var fuse = await FuseMount.MountAsync(
            lustre.Vfs, device, folders.Mount, new FuseOptions { AllowOther = Environment.IsPrivilegedProcess }, logging.CreateLogger<FuseMount>(), ct);
        try
        {
            await ShowAsync(folders, made, device, port, ct);
            await fuse.Ended.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Console.WriteLine("stopping ...");
            await fuse.UnmountAsync(Patience);
            await lustre.UnmountAsync();
        }
    }

    private static async Task ShowAsync(DemoFolders folders, FileSystem made, string device, int port, CancellationToken ct)
    {
        Console.WriteLine();
        Console.WriteLine($"  node           {device[..device.IndexOf(':', StringComparison.Ordinal)]}, port {port}: MGS, 1 MDT, {Sizing.Of(made).OstCount} OSTs");
        Console.WriteLine($"  its files      {folders.Data}");
        Console.WriteLine($"  file system    {made.FileSystemId}, {made.StorageCapacity} GiB (thin: only what you write takes space)");
        Console.WriteLine($"  mounted at     {folders.Mount}");
        Console.WriteLine();
        await new DemoTour(folders.Mount).RunAsync(ct);
        Console.WriteLine();
        Console.WriteLine(WhatToTry(folders, made, device, port));
        Console.WriteLine();
        Console.WriteLine("ready; Ctrl-C unmounts and stops everything");
    }

    private static string WhatToTry(DemoFolders folders, FileSystem made, string device, int port)
    {
        var nacre = Environment.GetEnvironmentVariable("NACRE_COMMAND") ?? "nacre";
        var folder = Path.GetRelativePath(Environment.CurrentDirectory, folders.Mount);
        var data = Path.GetRelativePath(Environment.CurrentDirectory, folders.Node);
        return $"""
            To try next, in another terminal:
              ls -lR {folder}; df -h {folder}
              {nacre} lfs df {folder}; {nacre} lfs getstripe {folder}/big.bin
              {nacre} lfs setstripe -c 2 -S 64K {folder}/mine      # how a file is striped is yours to say
              cp -r /usr/include {folder}/ && grep -rl pthread_create {folder}/include
              {nacre} mount -o port={port} {device} FOLDER        # a second client; nacre umount FOLDER ends it
              {nacre} fs update --data {data} {made.FileSystemId} --storage-capacity 7200   # grows under you
            """;
    }

    private static int CheckPort(int port) =>
        port is >= 1 and <= 65535 ? port : throw new DemoException($"port {port}: a number from 0 to 65535 is needed");

    /// <summary>For the node; the client beside it needs a few dozen.</summary>
    private static int CheckedDescriptors()
    {
        var limit = DescriptorLimit.Raise();
        return limit >= NodeOptions.MinFileDescriptors + 128
            ? Math.Min(limit - 128, 8192)
            : throw new DemoException($"this process may have {limit} files open, a demo needs {NodeOptions.MinFileDescriptors + 128}: raise the hard limit (ulimit -Hn)");
    }

    private static int FindPort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
