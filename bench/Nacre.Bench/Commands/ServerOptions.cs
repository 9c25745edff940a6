using System.CommandLine;
using System.Net;
using Nacre.Bench.Loads;
using Nacre.Bench.Server;
using Nacre.LNet;

namespace Nacre.Bench.Commands;

/// <summary>Which server: a running one, or one of our own.</summary>
internal static class ServerOptions
{
    private static readonly Option<bool> Spawn = new("--spawn")
    {
        Description = "Start a server with a new file system in a temporary folder, and remove both at the end.",
    };

    private static readonly Option<string?> Nacre = new("--nacre") { Description = "With --spawn: the nacre command. Default: that of the source tree." };
    private static readonly Option<string?> Folder = new("--folder") { Description = "With --spawn: where the temporary folder is made. Default: /tmp." };
    private static readonly Option<string> Server = new("--server") { Description = "NID of a running server.", DefaultValueFactory = _ => "127.0.0.1@tcp" };
    private static readonly Option<int> Port = new("--port") { Description = "Its LNet port.", DefaultValueFactory = _ => LNetOptions.DefaultPort };
    private static readonly Option<string?> FileSystem = new("--file-system") { Description = "Name of its file system. The loads leave files in it." };
    private static readonly Option<int?> Pid = new("--server-pid") { Description = "Its process, for its processor time." };
    private static readonly Option<int> Osts = new("--osts") { Description = "OSTs to use; clients are spread over them.", DefaultValueFactory = _ => 1 };

    public static void AddTo(Command command)
    {
        foreach (var option in (ReadOnlySpan<Option>)[Spawn, Nacre, Folder, Server, Port, FileSystem, Pid, Osts])
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="ArgumentException">Neither or a wrong server is named.</exception>
    /// <exception cref="IOException">Our own does not come up.</exception>
    public static OpenedServer Open(ParseResult options)
    {
        var osts = options.GetValue(Osts);
        if (options.GetValue(Spawn))
        {
            var spawned = SpawnedServer.Start(options.GetValue(Nacre), options.GetValue(Folder), osts);
            return new OpenedServer(spawned.Address, osts, spawned, null);
        }

        var name = options.GetValue(FileSystem) ?? throw new ArgumentException("--spawn, or --file-system with --server and --port, is needed");
        if (!Nid.TryParse(options.GetValue(Server), out var nid) || !nid.IsTcp)
        {
            throw new ArgumentException($"'{options.GetValue(Server)}' is not a NID such as 192.168.1.5@tcp");
        }

        var address = new ServerAddress(nid, new IPEndPoint(nid.Address, options.GetValue(Port)), name);
        return new OpenedServer(address, osts, null, options.GetValue(Pid));
    }
}

/// <summary>A server that can be measured; one of our own ends with this object.</summary>
internal sealed class OpenedServer(ServerAddress address, int osts, SpawnedServer? spawned, int? process) : IDisposable
{
    public ServerAddress Address => address;

    public int Osts => osts;

    /// <summary>Null when it is not of our own and its process was not named.</summary>
    public int? ProcessId => spawned?.ProcessId ?? process;

    /// <summary>Null when it is not of our own.</summary>
    public SpawnedServer? Spawned => spawned;

    public void Dispose() => spawned?.Dispose();
}
