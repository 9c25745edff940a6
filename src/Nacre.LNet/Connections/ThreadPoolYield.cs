using System.Runtime.CompilerServices;

namespace Nacre.LNet.Connections;

/// <summary>
/// Awaiting it goes to the end of the thread pool's common queue. <see cref="Task.Yield"/> would go to the thread's own
/// queue, which is served last in, first out: the loop that yields would be the next to run.
/// </summary>
internal readonly struct ThreadPoolYield : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public ThreadPoolYield GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
