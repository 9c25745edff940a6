using Microsoft.Extensions.Logging;

namespace Nacre.Server.Node;

/// <summary>
/// Deletes the folders of removed file systems, one after the other on a thread of its own: millions of files take minutes. What is not done when
/// the node stops, the next start goes on with.
/// </summary>
internal sealed partial class DataRemover(TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Queue<string> _folders = new();
    private Task _work = Task.CompletedTask;
    private long _files;
    private long _reportedAt;

    public void Add(string folder)
    {
        lock (_gate)
        {
            _folders.Enqueue(folder);
            if (_work.IsCompleted)
            {
                _work = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task work;
        lock (_gate)
        {
            work = _work;
        }

        await work;
        _stopping.Dispose();
    }

    private void Run()
    {
        while (TakeNext() is { } folder)
        {
            if (!Directory.Exists(folder))
            {
                // Named twice, and done.
                continue;
            }

            try
            {
                (_files, _reportedAt) = (0, time.GetTimestamp());
                Delete(folder, followLinks: true);
                LogRemoved(log, folder, _files);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogLeft(log, folder, e.Message);
            }
        }
    }

    private string? TakeNext()
    {
        lock (_gate)
        {
            if (!_stopping.IsCancellationRequested && _folders.TryDequeue(out var folder))
            {
                return folder;
            }

            // Under the gate: whoever adds one from now on starts a new run.
            _work = Task.CompletedTask;
            return null;
        }
    }

    /// <param name="followLinks">A target's folder may be a link to a disk of its own; below, nothing is followed.</param>
    private void Delete(string folder, bool followLinks)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            _stopping.Token.ThrowIfCancellationRequested();
            if (entry is DirectoryInfo inner && (inner.LinkTarget is null || (followLinks && inner.Exists)))
            {
                Delete(inner.FullName, followLinks: false);
            }
            else
            {
                entry.Delete();
                Report(folder);
            }
        }

        Directory.Delete(folder);
    }

    private void Report(string folder)
    {
        _files++;
        if (time.GetElapsedTime(_reportedAt) >= ReportInterval)
        {
            _reportedAt = time.GetTimestamp();
            LogProgress(log, folder, _files);
        }
    }

    [LoggerMessage(20, LogLevel.Information, "{Folder} is deleted: {Files} files")]
    private static partial void LogRemoved(ILogger log, string folder, long files);

    [LoggerMessage(21, LogLevel.Information, "deleting {Folder}: {Files} files so far")]
    private static partial void LogProgress(ILogger log, string folder, long files);

    [LoggerMessage(22, LogLevel.Warning, "{Folder} is not deleted, the next start tries again: {Why}")]
    private static partial void LogLeft(ILogger log, string folder, string why);
}
