using Nacre.Fuse.Tests.Twin;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Harness;

/// <summary>Holds operations of a kind on a node until they are let go, as a lock that another client has would.</summary>
internal sealed class Hold
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="cancellable">False for an operation that does not mind whether its caller is gone.</param>
    public Hold(TwinVfs vfs, string operation, TwinNode node, bool cancellable = true)
    {
        vfs.Gate = async (name, on, ct) =>
        {
            if (name != operation || on != node || _released.Task.IsCompleted) return;
            _reached.TrySetResult();
            await _released.Task.WaitAsync(cancellable ? ct : CancellationToken.None);
        };
    }

    /// <summary>Completes when an operation is held.</summary>
    public Task Reached => _reached.Task.Within();

    public void Release() => _released.TrySetResult();
}
