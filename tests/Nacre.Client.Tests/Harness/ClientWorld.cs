using System.Net;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;

namespace Nacre.Client.Tests.Harness;

/// <summary>A node in this process and mounts of its file system.</summary>
public sealed class ClientWorld : IAsyncDisposable
{
    private readonly List<LustreMount> _mounts = [];
    private int _lastClient;

    private ClientWorld(TestServer server) => Server = server;

    public TestServer Server { get; }

    public static async Task<ClientWorld> StartAsync(TestServerOptions? options = null) => new(await TestServer.StartAsync(options));

    /// <summary>A mount with its own address; it goes with the world.</summary>
    public async Task<Mounted> MountAsync(Func<MountOptions, MountOptions>? change = null)
    {
        var mount = await LustreMount.MountAsync((change ?? (static options => options))(NewOptions())).WithinBoundsAsync();
        lock (_mounts)
        {
            _mounts.Add(mount);
        }

        return new Mounted(mount);
    }

    public MountOptions NewOptions()
    {
        var number = Interlocked.Increment(ref _lastClient);
        return new MountOptions
        {
            ManagementNids = [Server.Nid],
            FileSystem = Server.Options.FileSystem,
            Port = Server.At.Port,
            LocalNid = Server.Options.Tcp ? null : Nid.FromTcp(new IPAddress([10, 2, (byte)(number >> 8), (byte)number])),
            Transport = Server.Transport,
            ConfigurationDelay = TimeSpan.FromMilliseconds(20),
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var mount in _mounts)
        {
            await mount.DisposeAsync();
        }

        await Server.DisposeAsync();
    }
}
