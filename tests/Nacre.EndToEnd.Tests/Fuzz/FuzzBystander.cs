using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// A well-behaved client that works while others attack. On another file system of the node, everything must be as it left it. On the attacked one,
/// where hostile requests may lawfully change its files, it must get answers, and must not lose its connection.
/// </summary>
internal sealed class FuzzBystander
{
    private readonly ScriptedClient _client;
    private readonly LuFid _directory;
    private readonly bool _apart;
    private long _operations;

    private FuzzBystander(ScriptedClient client, LuFid directory, bool apart)
    {
        _client = client;
        _directory = directory;
        _apart = apart;
    }

    public long Operations => Interlocked.Read(ref _operations);

    public static async Task<FuzzBystander> StartAsync(TestServer server, string? fileSystem)
    {
        var client = await server.MountAsync(fileSystem: fileSystem);
        return new FuzzBystander(client, await client.MkdirAsync(client.Root, "bystander"), fileSystem is not null);
    }

    public async Task WorkAsync(CancellationToken ct)
    {
        var data = new byte[100_000];
        Random.Shared.NextBytes(data);
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            try
            {
                await UseAFileAsync($"f{i}", data);
            }
            catch (RpcException refused) when (!_apart && refused.Errno is not (Errno.ETIMEDOUT or Errno.EIO or Errno.ENOTCONN or Errno.EPROTO))
            {
                // Somebody has removed the directory, or taken the space.
            }

            Interlocked.Increment(ref _operations);
            await Task.Delay(1, CancellationToken.None);
        }
    }

    /// <exception cref="InvalidOperationException">The server has forgotten this client.</exception>
    public async Task EndAsync()
    {
        if (_client.Evictions > 0)
        {
            throw new InvalidOperationException($"it was evicted {_client.Evictions} times");
        }

        await _client.UnmountAsync();
    }

    public override string ToString() => _apart ? "bystander on another file system" : "bystander on the attacked file system";

    private async Task UseAFileAsync(string name, byte[] data)
    {
        var file = await _client.CreateAsync(_directory, name);
        await _client.WriteAsync(file, 0, data);
        var read = await _client.ReadAsync(file, 0, data.Length);
        var found = await _client.GetAttrAsync(_directory, name);
        await _client.CloseAsync(file);
        await _client.UnlinkAsync(_directory, name, file.Fid);
        if (_apart && (!read.AsSpan().SequenceEqual(data) || found?.Fid != file.Fid))
        {
            throw new InvalidOperationException($"{name} is not what was written");
        }
    }
}
