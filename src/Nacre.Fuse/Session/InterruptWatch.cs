using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>
/// Requests whose process got a signal. The kernel tells of the first signal only, whichever it is, and would give EINTR to
/// programs that
/// expect it of no file system (profilers, garbage collectors and runtimes send themselves signals all the time). So a wait
/// for a
/// file lock ends at any signal, anything else only when the process is being killed, which is looked at again while the
/// request is
/// under way.
/// </summary>
internal sealed class InterruptWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    private readonly RequestPool _requests;
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private readonly List<(FuseRequest Request, ulong Unique)> _watched = [];

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
            if (MayCancel(request)) return request.TryCancel(unique);
            Watch(request, unique);
            return true;
        }

        return false;
    }

    public void Dispose() => _timer.Dispose();

    private static bool MayCancel(FuseRequest request) =>
        request.Header.Opcode == FuseOpcode.SetLockWait
        || (request.Header.Pid != 0 && ProcessStatus.IsBeingKilled((int)request.Header.Pid));

    private void Watch(FuseRequest request, ulong unique)
    {
        lock (_gate)
        {
            _watched.Add((request, unique));
            _timer.Change(Period, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look()
    {
        (FuseRequest Request, ulong Unique)[] watched;
        lock (_gate)
        {
            watched = [.. _watched];
            _watched.Clear();
        }

        foreach (var (request, unique) in watched)
        {
            if (!request.InFlight || request.Unique != unique) continue;
            if (MayCancel(request)) request.TryCancel(unique);
            else Watch(request, unique);
        }
    }
}
