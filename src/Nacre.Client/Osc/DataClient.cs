using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Nacre.Client.Cache;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>The object side of a mount: its OSTs, and the memory their data is cached in.</summary>
internal sealed class DataClient : IAsyncDisposable
{
    private static readonly TimeSpan WriteBackPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, ObjectTarget> _targets = new();
    private readonly ILogger _log;
    private readonly ITimer _timer;

    public DataClient(DataOptions options, ILoggerFactory logging)
    {
        Options = options;
        _log = logging.CreateLogger<DataClient>();
        Cache = new CachePool(options.CacheBytes, () => WriteBack(TimeSpan.Zero));
        _timer = options.Time.CreateTimer(
            static client => ((DataClient)client!).WriteBack(((DataClient)client!).Options.WriteBackDelay), this, WriteBackPeriod, WriteBackPeriod);
    }

    public DataOptions Options { get; }

    public CachePool Cache { get; }

    /// <summary>What to ask an OST for at connect, by the options.</summary>
    public ObdConnectData Wanted
    {
        get
        {
            var wanted = ImportOptions.OstWanted;
            if (!Options.Checksums)
            {
                wanted.Flags &= ~ConnectFlags.Cksum;
                wanted.ChecksumTypes = 0;
            }

            return wanted;
        }
    }

    /// <summary>
    /// An OST of the configuration. The import's <see cref="ImportOptions.Callbacks"/> must lead to <see cref="ObjectTarget.Locks"/>,
    /// its OnEvicted to <see cref="ObjectTarget.OnEvicted"/> and MayIdle to <see cref="ObjectTarget.MayIdle"/>.
    /// </summary>
    /// <param name="index">The number layouts know it by.</param>
    public ObjectTarget AddTarget(int index, Import import)
    {
        var target = new ObjectTarget(index, import, Options, Cache, _log);
        return _targets.TryAdd(index, target) ? target : throw new ArgumentException($"OST {index} is there already", nameof(index));
    }

    public ObjectTarget? FindTarget(int index) => _targets.GetValueOrDefault(index);

    /// <summary>Has everything dirty written, and waits until nothing is dirty: sync, unmount.</summary>
    public async ValueTask FlushAsync(CancellationToken ct)
    {
        foreach (var target in _targets.Values)
        {
            await target.FlushAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Frees the memory. What is dirty is lost: <see cref="FlushAsync"/> comes before, and a forced unmount leaves it out.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        foreach (var target in _targets.Values)
        {
            await target.DisposeAsync().ConfigureAwait(false);
        }

        Cache.Dispose();
    }

    private void WriteBack(TimeSpan age)
    {
        foreach (var target in _targets.Values)
        {
            target.WriteBack(age);
        }
    }
}
