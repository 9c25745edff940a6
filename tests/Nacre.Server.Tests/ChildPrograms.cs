using System.Diagnostics;

namespace Nacre.Server.Tests;

/// <summary>
/// Programs that tests start in a process of their own, to kill it: <c>dotnet Nacre.Server.Tests.dll NAME ARGUMENTS</c>.
/// </summary>
internal static class ChildPrograms
{
    private static readonly Dictionary<string, Func<string[], Task>> Programs = new()
    {
        [nameof(Ost.ObjectWriter)] = Ost.ObjectWriter.RunAsync,
        [nameof(Mdt.MetadataWriter)] = Mdt.MetadataWriter.RunAsync,
    };

    public static async Task<int> Main(string[] args)
    {
        if (args.Length == 0 || !Programs.TryGetValue(args[0], out var program)) return 2;
        new Thread(EndWithParent) { IsBackground = true }.Start();
        await program(args[1..]);
        return 0;
    }

    public static Process Start(string name, params string[] args)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        return Process.Start(new ProcessStartInfo(host, [typeof(ChildPrograms).Assembly.Location, name, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>Standard input is a pipe from the test: it ends when the test process does, however that happens.</summary>
    private static void EndWithParent()
    {
        while (Console.In.Read() >= 0)
        {
        }

        Environment.Exit(3);
    }
}
