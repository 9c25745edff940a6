using System.CommandLine;
using BenchmarkDotNet.Running;
using Nacre.Bench.Commands;
using Nacre.Bench.Floor;

namespace Nacre.Bench;

/// <summary>Benchmarks: <c>load</c>, <c>kill</c> and <c>client</c> against a whole server, <c>floor</c> for the machine,
/// <c>metadata</c> and <c>micro</c> for single parts.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        // Before the command line is looked at: the floor's peer and BenchmarkDotNet have their own.
        if (arguments is [FloorProcess.Command]) return FloorPeer.Run();
        if (arguments is ["metadata", .. var size])
        {
            MetadataBench.RunAsync(size).GetAwaiter().GetResult();
            return 0;
        }
        if (arguments is ["micro", .. var rest])
        {
            BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest);
            return 0;
        }

        var root = new RootCommand("Measures Nacre against the floors of the machine it runs on.")
        {
            LoadCommand.Make(),
            KillCommand.Make(),
            ClientCommand.Make(),
            FloorCommand.Make(),
            FuseCommand.Make(),
            new Command("metadata", "The metadata store alone; the argument is the size of the big directory (1000000)."),
            new Command("micro", "Benchmarks of single parts; arguments are those of BenchmarkDotNet."),
        };
        return root.Parse(arguments).Invoke();
    }
}
