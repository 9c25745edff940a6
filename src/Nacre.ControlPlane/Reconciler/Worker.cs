namespace Nacre.ControlPlane.Reconciler;

/// <summary>What is remembered while one file system is worked on. Only the worker itself calls what does not say otherwise.</summary>
internal sealed class Worker
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public Task Done { get; set; } = Task.CompletedTask;

    /// <summary>Failures of the servers since the last step that was done.</summary>
    public int Failures { get; set; }

    /// <summary>Tells it that the file system has changed; false when it has ended. For any thread.</summary>
    public bool TryWake()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return false;
            }

            _woken.TrySetResult();
            return true;
        }
    }

    /// <summary>Completes when the file system has changed since the worker last looked (<see cref="Seen"/>).</summary>
    public Task WhenWokenAsync()
    {
        lock (_gate)
        {
            return _woken.Task;
        }
    }

    /// <summary>What has changed so far is going to be looked at.</summary>
    public void Seen()
    {
        lock (_gate)
        {
            if (_woken.Task.IsCompleted)
            {
                _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>Ends it, unless something has changed since it last looked.</summary>
    public bool TryEnd()
    {
        lock (_gate)
        {
            return _ended = !_woken.Task.IsCompleted;
        }
    }
}
