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
    /// <summary>OSTs that were waited for in vain; nobody waits for them again.</summary>
    private readonly ConcurrentDictionary<int, bool> _hopeless = new();
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
        if (!_targets.TryAdd(index, target))
        {
            throw new ArgumentException($"OST {index} is there already", nameof(index));
        }

        Interlocked.Exchange(ref _added, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        return target;
    }

    /// <summary>Whether an OST that is not known may yet become known. One that the configuration names as inactive does not.</summary>
    public Func<int, bool> MayCome { get; set; } = static _ => true;

    /// <summary>Completes when all of these OSTs are known, or it is no use to wait any longer.</summary>
    public async ValueTask WhenKnownAsync(IReadOnlyList<int> indices, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Options.TargetPatience, Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        while (true)
        {
            var added = Volatile.Read(ref _added).Task;
            var missing = indices.Where(index => !_targets.ContainsKey(index) && !_hopeless.ContainsKey(index) && MayCome(index)).ToList();
            if (missing.Count == 0)
            {
                return;
            }

            try
            {
                await added.WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                missing.ForEach(index => _hopeless.TryAdd(index, true));
                return;
            }
        }
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
