using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Reconciler;

/// <summary>
/// Makes the servers follow the catalog: file systems that are to be made, changed or deleted. For each there is one worker at a time, which takes
/// one step after the other until nothing is left to be done.
/// </summary>
/// <remarks>
/// A step asks the servers for what the catalog wants, and then writes into the catalog that it is so. Both can be repeated, and what is left to be done is
/// read from the catalog anew before each step: a process that is killed in between takes the same step again at its next start. Nothing is
/// remembered outside of the catalog but how often a step has failed.
/// Partial files: Creation, Updates, Deletion.
/// </remarks>
public sealed partial class FileSystemReconciler : IAsyncDisposable
{
    /// <summary>File systems the servers work for at a time. Steps that only wait do not count.</summary>
    private const int MaxParallel = 4;

    /// <summary>A step was done and the next may follow; or there is none.</summary>
    private enum Progress
    {
        Continue,
        Settled,
    }

    private readonly ResourceCatalog _catalog;
    private readonly IDataPlane _plane;
    private readonly ReconcilerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<string, Worker> _workers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _places = new(MaxParallel);
    private readonly CancellationTokenSource _stopping = new();
    private int _disposed;

    public FileSystemReconciler(
        ResourceCatalog catalog, IDataPlane plane, ReconcilerOptions options, TimeProvider time, ILogger<FileSystemReconciler> log)
    {
        (_catalog, _plane, _options, _time, _log) = (catalog, plane, options, time, log);
    }

    /// <summary>Goes on with what an earlier process has left, and follows the catalog from now on.</summary>
    public void Start()
    {
        _catalog.FileSystems.Changed += Look;
        foreach (var id in _catalog.FileSystems.Unsettled())
        {
            Look(id);
        }
    }

    /// <summary>Stops after the steps under way; what is left is for the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _catalog.FileSystems.Changed -= Look;
        await _stopping.CancelAsync();
        await Task.WhenAll(_workers.Values.Select(worker => worker.Done));
        _stopping.Dispose();
        _places.Dispose();
    }

    /// <summary>The file system has changed: its worker looks again, or a new one begins.</summary>
    private void Look(string id)
    {
        while (!_stopping.IsCancellationRequested)
        {
            if (_workers.TryGetValue(id, out var present))
            {
                if (present.TryWake())
                {
                    return;
                }

                // It has ended and is about to leave.
                _workers.TryRemove(KeyValuePair.Create(id, present));
                continue;
            }

            var worker = new Worker();
            if (_workers.TryAdd(id, worker))
            {
                worker.Done = Task.Run(() => WorkAsync(id, worker), CancellationToken.None);
                return;
            }
        }
    }

    private async Task WorkAsync(string id, Worker worker)
    {
        try
        {
            do
            {
                while (await TryStepAsync(id, worker) == Progress.Continue)
                {
                }
            }
            while (!worker.TryEnd());
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What is left is for the next start.
        }

        _workers.TryRemove(KeyValuePair.Create(id, worker));
    }

    private async Task<Progress> TryStepAsync(string id, Worker worker)
    {
        try
        {
            return await StepAsync(id, worker);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            // A catalog that cannot be written, a cancellation by somebody else, or a fault of this program. None may leave the file system as it is for ever.
            LogWorkerFailed(_log, failure, id);
            await PauseAsync(worker, _options.Retry.LongestPause);
            return Progress.Continue;
        }
    }

    private Task<Progress> StepAsync(string id, Worker worker)
    {
        // First: what changes from now on wakes the worker again.
        worker.Seen();
        var entry = _catalog.FileSystems.Find(id);
        return entry?.Description.Lifecycle switch
        {
            null => Task.FromResult(Progress.Settled),
            FileSystemLifecycle.Deleting => DeleteAsync(entry, worker),
            FileSystemLifecycle.Creating => CreateAsync(entry, worker),
            FileSystemLifecycle.Failed => Task.FromResult(Progress.Settled),
            _ => UpdateAsync(entry, worker),
        };
    }

    /// <summary>Runs work of the servers, as many at a time as are allowed.</summary>
    private async Task WithServersAsync(Func<CancellationToken, Task> work)
    {
        await _places.WaitAsync(_stopping.Token);
        try
        {
            await work(_stopping.Token);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Waits until <paramref name="least"/> has passed since a moment of the catalog. False when the file system changes before.</summary>
    private Task<bool> WaitAsync(Worker worker, double since, TimeSpan least)
    {
        var left = TimeSpan.FromSeconds(since) + least - TimeSpan.FromSeconds(Now);
        // A clock that was set back must not make anybody wait for longer.
        return PauseAsync(worker, left < least ? left : least);
    }

    /// <summary>True when the time has passed, false when the file system changed before.</summary>
    private async Task<bool> PauseAsync(Worker worker, TimeSpan pause)
    {
        if (pause <= TimeSpan.Zero)
        {
            return true;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var passed = Task.Delay(pause, _time, limit.Token);
        var first = await Task.WhenAny(passed, worker.WhenWokenAsync());
        await limit.CancelAsync();
        _stopping.Token.ThrowIfCancellationRequested();
        return first == passed;
    }

    /// <summary>Epoch seconds, as the API counts.</summary>
    private double Now => _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>The one place in which a failure of the servers is judged. Null: try again after the pause that has been made.</summary>
    /// <returns>Why to give up.</returns>
    private async Task<string?> JudgeAsync(string id, Worker worker, DataPlaneException failure, bool mayGiveUp)
    {
        worker.Failures++;
        if (mayGiveUp && (failure.IsPermanent || worker.Failures >= _options.Retry.MaxTries))
        {
            LogGivenUp(_log, id, worker.Failures, failure.Message);
            return failure.Message;
        }

        var pause = _options.Retry.PauseAfter(worker.Failures);
        LogTriedAgain(_log, id, pause.TotalSeconds, failure.Message);
        await PauseAsync(worker, pause);
        return null;
    }

    [LoggerMessage(5110, LogLevel.Information, "{Id}: {Lifecycle}")]
    private static partial void LogLifecycle(ILogger log, string id, string lifecycle);

    [LoggerMessage(5111, LogLevel.Warning, "{Id}: tried again in {Seconds} s: {Why}")]
    private static partial void LogTriedAgain(ILogger log, string id, double seconds, string why);

    [LoggerMessage(5112, LogLevel.Error, "{Id}: given up after {Tries} tries: {Why}")]
    private static partial void LogGivenUp(ILogger log, string id, int tries, string why);

    [LoggerMessage(5113, LogLevel.Critical, "{Id}: the reconciler failed unexpectedly")]
    private static partial void LogWorkerFailed(ILogger log, Exception failure, string id);
}

/// <summary>How the reconciler goes about it.</summary>
public sealed record ReconcilerOptions
{
    public TransitionTimes Times { get; init; } = TransitionTimes.Default;

    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;
}
