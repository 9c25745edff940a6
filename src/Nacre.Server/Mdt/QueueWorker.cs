using Microsoft.Extensions.Logging;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt;

/// <summary>
/// Works off a durable queue of the metadata store in the background: when it is told that something may be there, and again
/// after a while when entries had to be left. A killed server goes on where it stopped.
/// </summary>
internal abstract partial class QueueWorker : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;

    protected QueueWorker(MdtFileSystem fs, TimeProvider time, ILogger log)
    {
        Files = fs;
        Time = time;
        Log = log;
        Stopping = _stop.Token;
    }

    protected MdtFileSystem Files { get; }

    protected MetadataStore Store => Files.Store;

    protected ILogger Log { get; }

    protected TimeProvider Time { get; }

    /// <summary>Fires when the work has to end.</summary>
    protected CancellationToken Stopping { get; }

    public void Start()
    {
        if (_work.IsCompleted)
            _work = Task.Run(WorkAsync);
        Wake();
    }

    /// <summary>Says that something may have been queued. Never blocks.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount != 0)
            return;
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has said it in the same moment.
        }
    }

    public async ValueTask StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public virtual void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _wake.Dispose();
    }

    /// <summary>Works through the queue once. False when entries had to be left.</summary>
    protected abstract Task<bool> DrainAsync();

    /// <summary>What is queued but not committed yet shows up when it is.</summary>
    protected async ValueTask CommittedAsync()
    {
        ulong pending;
        lock (Store.Gate)
            pending = Store.PendingTransaction;
        if (pending != 0)
            await Store.WhenCommitted(pending).ConfigureAwait(false);
    }

    private async Task WorkAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            bool complete = false;
            try
            {
                complete = await DrainAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (!Stopping.IsCancellationRequested)
            {
                // Whatever it is, also a cancellation by somebody else: the entries are still there.
                LogFailed(Log, failure, GetType().Name);
            }
            if (complete)
                await _wake.WaitAsync(Stopping).ConfigureAwait(false);
            else
                await Task.Delay(RetryAfter, Time, Stopping).ConfigureAwait(false);
        }
    }

    [LoggerMessage(EventId = 3101, Level = LogLevel.Error, Message = "{Worker}: a round of work failed; trying again")]
    private static partial void LogFailed(ILogger log, Exception failure, string worker);
}
