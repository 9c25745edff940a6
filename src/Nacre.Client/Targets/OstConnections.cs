using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Nacre.Client.Mgc;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Targets;

/// <summary>
/// The connections to the OSTs of the configuration. They connect in the background: a mount does not wait for them (04 section 10.3), and what needs one
/// that is away waits for it.
/// </summary>
internal sealed partial class OstConnections(ClientNetwork network, DataClient data, MountOptions options, string clientUuid)
{
    private readonly ConcurrentDictionary<int, Ost> _osts = new();

    /// <summary>All the configuration has named, inactive ones too.</summary>
    private readonly ConcurrentDictionary<int, bool> _named = new();
    private readonly ILogger _log = options.Logging.CreateLogger<OstConnections>();

    /// <summary>Indices, in order.</summary>
    public IReadOnlyList<int> Indices => [.. _osts.Keys.Order()];

    public bool IsNamed(int index) => _named.ContainsKey(index);

    public Import? ImportOf(int index) => _osts.GetValueOrDefault(index)?.Import;

    /// <summary>Adds what is new in the configuration. An OST that is set inactive is not used for statfs; its data stays out of reach.</summary>
    public void Follow(IEnumerable<ConfiguredTarget> targets)
    {
        foreach (var target in targets)
        {
            if (_osts.TryGetValue(target.Index, out var known))
            {
                known.IsActive = target.IsActive;
            }
            else if (target.IsActive)
            {
                Add(target);
            }

            // After it is known: who waits for it finds it then.
            _named.TryAdd(target.Index, true);
        }
    }

    /// <summary>A target has started anew: the connection is made again, perhaps elsewhere, if it is to the instance before.</summary>
    public void OnRestarted(RestartedTarget restarted)
    {
        if (ImportOf(restarted.Index) is { } import)
        {
            Restarts.Follow(import, restarted);
        }
    }

    /// <summary>Sums of all OSTs that answer.</summary>
    public async ValueTask<Outcome<ObdStatfs>> GetStatusAsync(CancellationToken ct)
    {
        var answers = await Task.WhenAll(_osts.Values.Where(static ost => ost.IsActive).Select(ost => GetStatusAsync(ost, ct)))
            .ConfigureAwait(false);
        var sum = default(ObdStatfs);
        var answered = answers.OfType<ObdStatfs>().ToList();
        foreach (var one in answered)
        {
            Add(ref sum, one);
        }

        return answered.Count > 0 ? sum : new Failure(Errno.EIO);
    }

    public async ValueTask DisconnectAsync(CancellationToken ct) =>
        await Task.WhenAll(_osts.Values.Select(ost => ost.Import.DisconnectAsync(ct).AsTask())).ConfigureAwait(false);

    public async ValueTask CloseAsync()
    {
        foreach (var ost in _osts.Values)
        {
            await ost.Import.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Add(ConfiguredTarget target)
    {
        var ost = new Ost { IsActive = true };
        var peers = target.Nodes.Select(static nid => new PeerId(nid, PeerId.LustrePid)).ToList();
        ost.Import = network.Rpc.CreateImport(new ImportOptions
        {
            TargetUuid = target.Uuid,
            Kind = TargetKind.Ost,
            Peer = peers[0],
            FailoverPeers = peers[1..],
            ClientUuid = clientUuid,
            Wanted = data.Wanted,
            Callbacks = ost,
            OnEvicted = _ => ost.Target?.OnEvicted(),
            MayIdle = () => ost.Target?.MayIdle() ?? false,
            IdleTimeout = options.OstIdleTimeout,
        });
        ost.Target = data.AddTarget(target.Index, ost.Import);
        _osts.TryAdd(target.Index, ost);
        LogAdded(_log, target.Uuid);
        _ = ConnectAsync(ost);
    }

    /// <summary>The import goes on by itself; only a refusal for good ends here.</summary>
    private async Task ConnectAsync(Ost ost)
    {
        try
        {
            await ost.Import.ConnectAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ErrnoException or ObjectDisposedException)
        {
            LogRefused(_log, ost.Import.Options.TargetUuid, failure.Message);
        }
    }

    private static async Task<ObdStatfs?> GetStatusAsync(Ost ost, CancellationToken ct)
    {
        // As df of a kernel client: what does not answer is left out (04 section 15).
        if (ost.Import.State is not (ImportState.Full or ImportState.Idle))
        {
            return null;
        }

        try
        {
            using var reply = await ost.Import.SendAsync(new RpcCall(Opcode.OstStatfs), ct).ConfigureAwait(false);
            return reply.Status == 0 && reply.BufferLength(1) >= ObdStatfs.Size ? reply.Get<ObdStatfs>(1) : null;
        }
        catch (ErrnoException)
        {
            return null;
        }
    }

    private static void Add(ref ObdStatfs sum, in ObdStatfs one)
    {
        if (sum.BlockSize == 0)
        {
            sum.BlockSize = Math.Max(one.BlockSize, 1);
        }

        sum.Blocks += one.Blocks * one.BlockSize / sum.BlockSize;
        sum.BlocksFree += one.BlocksFree * one.BlockSize / sum.BlockSize;
        sum.BlocksAvailable += one.BlocksAvailable * one.BlockSize / sum.BlockSize;
        sum.FilesFree += one.FilesFree;
    }

    [LoggerMessage(4030, LogLevel.Information, "{Target} belongs to the file system")]
    private static partial void LogAdded(ILogger log, string target);

    [LoggerMessage(4031, LogLevel.Warning, "{Target} refuses this client: {Why}")]
    private static partial void LogRefused(ILogger log, string target, string why);

    private sealed class Ost : ICallbackHandler
    {
        public Import Import { get; set; } = null!;

        public ObjectTarget? Target { get; set; }

        public bool IsActive { get; set; }

        ValueTask ICallbackHandler.HandleAsync(CallbackRequest request)
        {
            if (Target is { } target)
            {
                return target.Locks.HandleAsync(request);
            }

            request.Fail(Errno.EAGAIN);
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What an entry of the table of restarted targets does to a connection (04 section 9.2).</summary>
internal static class Restarts
{
    public static void Follow(Import import, RestartedTarget restarted)
    {
        if (restarted.Nodes.Count == 0)
        {
            return;
        }

        var granted = import.ConnectData;
        var peers = restarted.Nodes.Select(static nid => new PeerId(nid, PeerId.LustrePid)).ToArray();
        if (granted.Instance != 0 && granted.Instance != restarted.Instance)
        {
            import.SetPeers(peers[0], [.. peers[1..], .. import.Options.FailoverPeers]);
            import.Reconnect();
        }
    }
}
