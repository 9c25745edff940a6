namespace Nacre.PtlRpc;

/// <summary>
/// The ping evictor: a client that was silent for 150 s is suspicious, and out after another 75 s (02 section 9.7).
/// </summary>
public sealed partial class RpcServer
{
    private static readonly TimeSpan EvictorPeriod = TimeSpan.FromSeconds(5);
    private long _lastEvictorRun;

    private void EvictSilent()
    {
        var now = Clock.Milliseconds;
        var pause = now - Interlocked.Exchange(ref _lastEvictorRun, now);
        // A node that slept has heard nobody, and must not take its own silence for that of its clients.
        var slept = pause > 6 * EvictorPeriod.TotalMilliseconds;
        foreach (var state in Targets)
        {
            foreach (var export in ExportsOf(state))
            {
                if (slept)
                {
                    Volatile.Write(ref export.LastHeard, now);
                    export.OrphanedAt = now;
                }
                else
                {
                    CheckSilence(export, now);
                }
            }
        }
    }

    private void CheckSilence(Export export, long now)
    {
        if (export.IsOrphan && now - export.OrphanedAt >= Options.EvictOrphanAfter.TotalMilliseconds)
        {
            Evict(export, "another run of its node has taken its address, and it was not heard of since");
            return;
        }

        var silent = now - Volatile.Read(ref export.LastHeard);
        if (export.Connecting || silent < Options.SuspectAfter.TotalMilliseconds)
        {
            export.IsSuspected = false;
            return;
        }

        if (!export.IsSuspected)
        {
            export.IsSuspected = true;
            LogSuspected(_log, export.Target.Uuid, export.ClientUuid, export.Peer, silent / 1000);
        }

        if (silent >= (Options.SuspectAfter + Options.EvictAfterSuspicion).TotalMilliseconds)
        {
            Evict(export, "silent for too long");
        }
    }
}
