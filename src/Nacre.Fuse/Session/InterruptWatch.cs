using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>
/// Requests whose process got a signal. The kernel tells of the first signal only, whichever it is, and would give EINTR to
/// programs that
/// expect it of no file system (profilers, garbage collectors and runtimes send themselves signals all the time). So a wait
/// for a
/// file lock ends at any signal, anything else only when the process is being killed, which is looked at again while the
/// request is
/// under way. What cannot be cancelled, as the server may have done it already, ends for the kernel all the same: the process must not stay,
/// and keep the mount busy, as long as a server is away. The work goes on, and finds at its end that nobody waits.
/// </summary>
internal sealed class InterruptWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    private readonly RequestPool _requests;
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private readonly List<(FuseRequest Request, ulong Unique, bool Cancelled)> _watched = [];

    public InterruptWatch(RequestPool requests)
    {
        _requests = requests;
        _timer = new Timer(_ => Look());
    }

    /// <returns>False when no such request is under way (yet, or any more).</returns>
    public bool Interrupt(ulong unique)
    {
        foreach (var request in _requests.All)
        {
            if (!request.InFlight || request.Unique != unique) continue;
            if (MayCancel(request)) return Cancel(request, unique);
            Watch(request, unique, cancelled: false);
            return true;
        }

        return false;
    }

    public void Dispose() => _timer.Dispose();

    private static bool MayCancel(FuseRequest request) =>
        request.Header.Opcode == FuseOpcode.SetLockWait
        || (request.Header.Pid != 0 && ProcessStatus.IsBeingKilled((int)request.Header.Pid));

    /// <returns>False when the request has ended.</returns>
    private bool Cancel(FuseRequest request, ulong unique)
    {
        if (!request.TryCancel(unique)) return false;
        Watch(request, unique, cancelled: true);
        return true;
    }

    private void Watch(FuseRequest request, ulong unique, bool cancelled)
    {
        lock (_gate)
        {
            _watched.Add((request, unique, cancelled));
            _timer.Change(Period, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look()
    {
        (FuseRequest Request, ulong Unique, bool Cancelled)[] watched;
        lock (_gate)
        {
            watched = [.. _watched];
            _watched.Clear();
        }

        foreach (var (request, unique, cancelled) in watched)
        {
            if (!request.InFlight || request.Unique != unique) continue;
            if (cancelled) Abandon(request, unique);
            else if (MayCancel(request)) Cancel(request, unique);
            else Watch(request, unique, cancelled: false);
        }
    }

    /// <summary>A wait for a file lock may be cancelled by a process that lives on: that needs the true answer.</summary>
    private static void Abandon(FuseRequest request, ulong unique)
    {
        if (request.Header.Opcode != FuseOpcode.SetLockWait) request.TryAbandon(unique);
    }
}
