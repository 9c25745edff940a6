using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Layouts;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt;

/// <summary>
/// Destroys the objects of removed files on the OSTs: takes what the store has queued and committed, tells the OSTs, and
/// confirms. The queue is durable, so a killed server leaks nothing; an OST that is away keeps its entries waiting.
/// </summary>
internal sealed partial class ObjectDestroyer : IDisposable
{
    /// <summary>Queue entries worked on at a time; their removals share flushes on the OSTs.</summary>
    private const int BatchSize = 256;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly MdtFileSystem _fs;
    private readonly MetadataStore _store;
    private readonly ObjectAllocator _targets;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;

    public ObjectDestroyer(MdtFileSystem fs, ObjectAllocator targets, TimeProvider time, ILogger log)
    {
        _fs = fs;
        _store = fs.Store;
        _targets = targets;
        _time = time;
        _log = log;
    }

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

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _wake.Dispose();
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
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogFailed(_log, failure);
            }
            // What is queued but not committed yet shows up a commit later; what could not be done is tried again.
            if (complete)
                await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
            else
                await Task.Delay(RetryAfter, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Works through the queue once. False when entries had to be left.</summary>
    private async Task<bool> DrainAsync()
    {
        bool complete = true;
        long after = 0;
        while (true)
        {
            ulong pending;
            IReadOnlyList<PendingDestroy> batch;
            lock (_store.Gate)
                pending = _store.PendingTransaction;
            if (pending != 0)
                await _store.WhenCommitted(pending).ConfigureAwait(false);
            lock (_store.Gate)
                batch = _fs.PendingDestroys(after, BatchSize);
            if (batch.Count == 0)
                return complete;
            after = batch[^1].Id;
            complete &= await DestroyBatchAsync(batch).ConfigureAwait(false);
        }
    }

    private async Task<bool> DestroyBatchAsync(IReadOnlyList<PendingDestroy> batch)
    {
        var done = await Task.WhenAll(batch.Select(DestroyAsync)).ConfigureAwait(false);
        lock (_store.Gate)
        {
            for (int i = 0; i < done.Length; i++)
            {
                if (done[i])
                    _fs.ConfirmDestroy(batch[i].Id);
            }
        }
        return Array.TrueForAll(done, static d => d);
    }

    private async Task<bool> DestroyAsync(PendingDestroy entry)
    {
        if (!LovCodec.TryDecode(entry.Layout.Span, userForm: false, out var layout))
            return true; // Nothing in it that could be destroyed.
        try
        {
            foreach (var item in layout.Objects())
            {
                if (_targets.Get((int)item.OstIndex) is not { Active: true } target)
                    return false;
                await target.DestroyAsync(item.Object, _stop.Token).ConfigureAwait(false);
            }
            return true;
        }
        catch (FsException refused)
        {
            LogRefused(_log, entry.Fid.ToString(), refused.Errno);
            return false;
        }
    }

    [LoggerMessage(EventId = 3101, Level = LogLevel.Error, Message = "Destroying objects of removed files failed; trying again")]
    private static partial void LogFailed(ILogger log, Exception failure);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Warning,
        Message = "An OST could not destroy objects of removed file {Fid} (errno {Errno}); trying again")]
    private static partial void LogRefused(ILogger log, string fid, int errno);
}
