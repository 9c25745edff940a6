using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane;
using Nacre.LNet;
using Nacre.Server.Node;

namespace Nacre.Cli;

/// <summary><c>nacre up</c>: runs a node until SIGTERM or SIGINT.</summary>
internal static class UpCommand
{
    private const int Failed = 1;

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Folder that holds everything the node keeps.", Required = true, HelpName = "DIR" };
        var nid = new Option<string>("--nid") { Description = "Address clients mount, for instance 10.0.0.5@tcp.", Required = true, HelpName = "IP@tcp" };
        var port = new Option<int>("--lnet-port")
        {
            Description = "TCP port of LNet. Kernel clients know only 988.",
            DefaultValueFactory = _ => LNetOptions.DefaultPort,
            HelpName = "PORT",
        };
        var fileSystems = new Option<string[]>("--file-system")
        {
            Description = "File system to make if the folder does not hold it yet; may be repeated. With more OSTs than it has, OSTs are added.",
            HelpName = "NAME[,osts=N][,capacity-gib=G]",
            DefaultValueFactory = _ => [],
        };
        var privilegedOnly = new Option<bool>("--privileged-ports-only")
        {
            Description = "Refuse callers whose source port is above 1023. Kernel clients always use a lower one.",
        };
        var memory = new Option<int>("--bulk-memory-mib")
        {
            Description = "Memory for file data on its way, MiB. Requests wait for it.",
            DefaultValueFactory = _ => 256,
            HelpName = "MIB",
        };
        var reserve = new Option<int>("--reserve-mib")
        {
            Description = "Disk space kept back in the data folder, MiB, so that files can be removed when the disk is full. 0 for none.",
            DefaultValueFactory = _ => 64,
            HelpName = "MIB",
        };
        var verbose = new Option<bool>("--verbose") { Description = "Log connections and requests too." };
        var api = new ApiArguments();
        var command = new Command("up", "Run a node: management, metadata and object storage servers, and the FSx API.")
        {
            data, nid, port, fileSystems, privilegedOnly, memory, reserve, verbose,
        };
        foreach (var option in api.All)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => RunAsync(
            () => Options(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(nid),
                parsed.GetValue(port),
                parsed.GetValue(fileSystems) ?? [],
                parsed.GetValue(privilegedOnly),
                parsed.GetValue(memory),
                parsed.GetValue(reserve)),
            () => api.Read(parsed, parsed.GetRequiredValue(data)),
            parsed.GetValue(verbose),
            cancellationToken));
        return command;
    }

    private static NodeOptions Options(string data, string nid, int port, string[] fileSystems, bool privilegedOnly, int memoryMib, int reserveMib)
    {
        if (!Nid.TryParse(nid, out var parsed) || !parsed.IsTcp)
        {
            throw new NodeConfigurationException($"'{nid}' is not a NID: an IPv4 address and a network are needed, for instance 10.0.0.5@tcp");
        }

        if (port is < 1 or > 65535)
        {
            throw new NodeConfigurationException($"port {port}: a number from 1 to 65535 is needed");
        }

        if (memoryMib is < 16 or > 1 << 20)
        {
            throw new NodeConfigurationException($"{memoryMib} MiB of bulk memory: a number from 16 to 1048576 is needed");
        }

        if (reserveMib is < 0 or > 1 << 20)
        {
            throw new NodeConfigurationException($"{reserveMib} MiB of reserve: a number from 0 to 1048576 is needed");
        }

        return new NodeOptions
        {
            DataFolder = data,
            Nid = parsed,
            LNetPort = port,
            FileSystems = [.. fileSystems.Select(FileSystemSpec.Parse)],
            AcceptUnprivilegedPorts = !privilegedOnly,
            BulkMemoryBytes = (long)memoryMib << 20,
            ReserveBytes = (long)reserveMib << 20,
            FileDescriptors = CheckedDescriptors(),
        };
    }

    private static int CheckedDescriptors()
    {
        var limit = DescriptorLimit.Raise();
        return limit >= NodeOptions.MinFileDescriptors
            ? limit
            : throw new NodeConfigurationException(
                $"this process may have {limit} files open, a node needs {NodeOptions.MinFileDescriptors} at least: raise the hard limit (ulimit -Hn)");
    }

    private static async Task<int> RunAsync(
        Func<NodeOptions> options, Func<ControlPlaneOptions?> api, bool verbose, CancellationToken cancellationToken)
    {
        using var logging = LoggerFactory.Create(builder => builder
            .SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Information)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            }));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            // Both are read before anything is started.
            var (nodeOptions, apiOptions) = (options(), api());
            await using var node = await NacreNode.StartAsync(nodeOptions, TimeProvider.System, logging, stop.Token);
            await using var control = apiOptions is null
                ? null
                : await ControlPlaneHost.StartAsync(apiOptions, node, TimeProvider.System, logging, stop.Token);
            Announce(node, control);
            await node.RunAsync(stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (NodeConfigurationException e)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Failed;
        }

        void Stop(PosixSignalContext context)
        {
            // Without this the runtime ends the process before the stores are closed.
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static void Announce(NacreNode node, ControlPlaneHost? control)
    {
        foreach (var fileSystem in node.FileSystems)
        {
            Console.WriteLine($"file system {fileSystem.Name}: {fileSystem.OstCount} OSTs, {fileSystem.CapacityGib} GiB");
            Console.WriteLine($"  mount -t lustre {node.Nid}:/{fileSystem.Name} /mnt");
        }

        if (control is not null)
        {
            Console.WriteLine($"FSx API at {control.Url.GetLeftPart(UriPartial.Authority)}");
            foreach (var line in control.ConfigureLines)
            {
                Console.WriteLine($"  {line}");
            }

            // Without endpoint_url such a tool calls AWS itself, and reports that the key is unknown there.
            if (control.ConfigureLines.Count > 0)
            {
                Console.WriteLine($"  # AWS CLI before 2.13: add --endpoint-url {control.Url.GetLeftPart(UriPartial.Authority)} to each command");
            }
        }

        Console.WriteLine($"ready on {node.Nid}, port {node.LNetPort}");
    }
}
