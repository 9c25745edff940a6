using System.CommandLine;
using System.Net.Sockets;
using Nacre.Bench.Client;
using Nacre.Bench.Loads;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Commands;

/// <summary>
/// <c>kill</c>: shows that what the create figure counts is durable. Under full load a server of our own is killed with
/// SIGKILL and started again; every create that was answered must be there.
/// </summary>
internal static class KillCommand
{
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often.", DefaultValueFactory = _ => 3 };
    private static readonly Option<int> Concurrency = new("--concurrency") { Description = "Creates in flight.", DefaultValueFactory = _ => 64 };

    public static Command Make()
    {
        var command = new Command("kill", "Kills a spawned server while it creates files; all answered creates must survive.")
        {
            Rounds, Concurrency,
        };
        ServerOptions.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult options)
    {
        try
        {
            using var server = ServerOptions.Open(options);
            if (server.Spawned is null) throw new ArgumentException("only a server started with --spawn is killed");
            for (var round = 1; round <= options.GetValue(Rounds); round++)
            {
                var answered = CreateUntilKilled(server, options.GetValue(Concurrency));
                var missing = Missing(server, answered);
                Console.Out.WriteLine($"round {round}: {answered.Count} creates answered, {missing} missing after the restart");
                if (missing > 0) return 1;
            }

            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException or TimeoutException or ArgumentException)
        {
            Console.Error.WriteLine($"nacre-bench: {e.Message}");
            return 1;
        }
    }

    /// <summary>The creates that were answered before the server died.</summary>
    private static IReadOnlyList<BenchFile> CreateUntilKilled(OpenedServer server, int concurrency)
    {
        using var session = new ClientSession(server.Address, 0, server.Osts);
        var load = new CreateLoad(session, concurrency) { Keep = int.MaxValue };
        var died = false;
        var thread = new Thread(() =>
        {
            try
            {
                load.Run(TimeSpan.FromHours(1));
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                died = true;
            }
        });
        thread.Start();
        Thread.Sleep(TimeSpan.FromMilliseconds(Random.Shared.Next(500, 2500)));
        server.Spawned!.KillAndRestart();
        thread.Join();
        if (!died) throw new InvalidDataException("the load did not notice the server's death");
        return load.Kept;
    }

    private static int Missing(OpenedServer server, IReadOnlyList<BenchFile> files)
    {
        using var session = new ClientSession(server.Address, 1, server.Osts);
        var request = MetadataSetup.Getattr(session.Mdt(0));
        var missing = 0;
        foreach (var file in files)
        {
            request.At<MdtBody>(1).Fid1 = file.Fid;
            Reply.OpenAny(session.Mdt(0).CallAny(request), out var body);
            if (body.Status != 0) missing++;
        }

        return missing;
    }
}
