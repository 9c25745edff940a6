using Microsoft.Extensions.Logging;
using Nacre.Fuse.Session;

namespace Nacre.Fuse.Cache;

/// <summary>
/// Keeps the number of nodes the kernel knows near a bound. The kernel caches inodes as long as it has memory to spare, and knows nothing of what each
/// costs here; so it is asked to give up those that were not used for longest. It answers by FORGETs, and passes over what is in use.
/// <para>A round goes on while further nodes arrive, and at most one at a time. It begins when a sixteenth of the bound has arrived since the last one: so its cost
/// is spread over these, also where all nodes are in use and none goes.</para>
/// </summary>
internal sealed class NodeBound(NodeTable nodes, KernelCache cache, int most, ILogger log)
{
    /// <summary>Nodes of one notification; the kernel takes any number.</summary>
    private const int Batch = 512;

    /// <summary>Without a FORGET for so long, there is none on its way.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(20);

    private readonly int _step = Math.Max(1, most / 16);
    private int _arrived;
    private int _running;
    private volatile bool _cannot;

    /// <summary>False once the kernel was asked to give up nodes and did not know how.</summary>
    public bool IsPossible => !_cannot;

    /// <summary>To be called after each node that was handed to the kernel. Does not wait.</summary>
    public void Enforce()
    {
        if (nodes.Count <= most || _cannot) return;
        if (Interlocked.Increment(ref _arrived) < _step || Interlocked.Exchange(ref _running, 1) != 0) return;
        Volatile.Write(ref _arrived, 0);
        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        bool isDone = false;
        try
        {
            // Not on the thread of a request.
            await Task.Yield();
            isDone = await RunPassesAsync().ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }

        // What arrived since the last look has begun no round.
        if (isDone && nodes.Count > most + _step) Enforce();
    }

    /// <summary>Passes until there are few enough.</summary>
    /// <returns>False where as many as there are were asked for, one after the other, and most of them stayed: they are in use.</returns>
    private async Task<bool> RunPassesAsync()
    {
        int inVain = 0;
        for (int known = nodes.Count; known > most; known = nodes.Count)
        {
            long before = nodes.Forgotten;
            int count = await AskAsync(known - most + _step).ConfigureAwait(false);
            if (count == 0 || inVain >= known) return false;
            Log.Pruned(log, count, known);
            await WaitForForgetsAsync(before + count).ConfigureAwait(false);
            inVain = nodes.Forgotten - before < count / 2 ? inVain + count : 0;
        }

        return true;
    }

    /// <returns>Nodes the kernel was asked to give up; 0 where it cannot be asked, or none is left.</returns>
    private async Task<int> AskAsync(int wanted)
    {
        int asked = 0;
        var picked = new ulong[Math.Min(wanted, Batch)];
        while (asked < wanted && nodes.Sweep(picked.AsSpan(0, Math.Min(wanted - asked, picked.Length))) is var count and > 0)
        {
            if (!await cache.PruneAsync(picked[..count]).ConfigureAwait(false))
            {
                _cannot = true;
                Log.CannotPrune(log, nodes.Count);
                return 0;
            }

            asked += count;
        }

        return asked;
    }

    /// <summary>FORGETs wait in the kernel for a reader: asking for more before they are here would empty the cache.</summary>
    private async Task WaitForForgetsAsync(long expected)
    {
        long before;
        do
        {
            before = nodes.Forgotten;
            if (before >= expected) return;
            await Task.Delay(Quiet).ConfigureAwait(false);
        }
        while (nodes.Forgotten > before);
    }
}
