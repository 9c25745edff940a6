using Microsoft.Extensions.Logging;
using Nacre.Fuse.Device;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Cache;

/// <summary>
/// Threads that do nothing but send notifications, since those may block in the kernel until an operation ends that is under
/// way in this
/// very process. One thread as a rule; another one when all are blocked and something waits, up to <see cref="MaxThreads"/>,
/// and they end when
/// they were idle for a while. At the bound notifications wait, and who waits for those waits for
/// <see cref="PageDrop.Limit"/> at most. What waits is bounded by
/// what the kernel caches.
/// </summary>
internal sealed class NotifyThreads(FuseDevice device, ILogger log) : IDisposable
{
    public const int MaxThreads = 1024;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly Queue<Notification> _waiting = new();
    private int _threads;
    private int _idle;
    private bool _isDisposed;

    public void Send(Notification notification)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                notification.Complete();
                return;
            }

            _waiting.Enqueue(notification);
            if (_idle >= _waiting.Count) Monitor.Pulse(_gate);
            else if (_threads < MaxThreads) StartThread();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            while (_waiting.TryDequeue(out var notification)) notification.Complete();
            Monitor.PulseAll(_gate);
        }
    }

    private void StartThread()
    {
        _threads++;
        new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "fuse-notify" }.Start();
    }

    private void Run()
    {
        while (Take() is { } notification)
        {
            int errno = notification.Send(device);
            // ENOENT: not cached. ENOTDIR: a number used again. ENODEV, ENOTCONN: unmounted.
            if (errno is not (0 or Errno.ENOENT or Errno.ENOTDIR or Errno.ENODEV or Errno.ENOTCONN or Errno.EBADF))
            {
                Log.DropFailed(log, 0, Errno.Name(errno));
            }

            notification.Complete();
        }
    }

    /// <summary>Null when the thread is to end.</summary>
    private Notification? Take()
    {
        lock (_gate)
        {
            bool inTime = true;
            while (true)
            {
                if (_waiting.TryDequeue(out var notification)) return notification;
                if (_isDisposed || !inTime)
                {
                    _threads--;
                    return null;
                }

                _idle++;
                inTime = Monitor.Wait(_gate, IdleTime);
                _idle--;
            }
        }
    }
}
