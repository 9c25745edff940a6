using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc.Timing;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// The client side of the RPC layer: imports, their pings, and the portal that serves lock callbacks. One per LNet node.
/// </summary>
public sealed partial class RpcClient : IPutReceiver, IAsyncDisposable
{
    private static readonly TimeSpan PingerPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ulong, Import> _imports = new();
    private readonly ITimer _pinger;
    private readonly LogRateLimit _peerLines;

    public RpcClient(ILNet lnet, TimeProvider time, ILogger<RpcClient> log)
        : this(lnet, new RpcClientOptions(), time, log)
    {
    }

    public RpcClient(ILNet lnet, RpcClientOptions options, TimeProvider time, ILogger<RpcClient> log)
    {
        LNet = lnet;
        Options = options;
        Log = log;
        Clock = new RpcClock(time);
        Wheel = new DeadlineWheel(Clock);
        Xids = new XidGenerator(time);
        _peerLines = new LogRateLimit(time);
        Calls = new ImportCallPool();
        lnet.Serve(Portal.LdlmCallbackRequest, this);
        _pinger = time.CreateTimer(static client => ((RpcClient)client!).Tick(), this, PingerPeriod, PingerPeriod);
    }

    public RpcClientOptions Options { get; }

    internal ILNet LNet { get; }

    internal ILogger Log { get; }

    internal RpcClock Clock { get; }

    internal DeadlineWheel Wheel { get; }

    internal XidGenerator Xids { get; }

    internal ImportCallPool Calls { get; }

    /// <summary>A new import, not connected yet.</summary>
    public Import CreateImport(ImportOptions options)
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            RandomNumberGenerator.Fill(random);
            var handle = BitConverter.ToUInt64(random);
            var import = new Import(this, options, handle);
            if (handle is not 0 and not ulong.MaxValue && _imports.TryAdd(handle, import))
            {
                return import;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        LNet.StopServing(Portal.LdlmCallbackRequest);
        await _pinger.DisposeAsync().ConfigureAwait(false);
        foreach (var import in _imports.Values)
        {
            await import.DisposeAsync().ConfigureAwait(false);
        }

        await Wheel.DisposeAsync().ConfigureAwait(false);
    }

    internal void Remove(Import import) => _imports.TryRemove(import.ClientHandle, out _);

    private void Tick()
    {
        var now = Clock.Milliseconds;
        foreach (var import in _imports.Values)
        {
            import.Tick(now);
        }
    }
}
