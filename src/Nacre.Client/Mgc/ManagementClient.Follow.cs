using Microsoft.Extensions.Logging;
using Nacre.PtlRpc;

namespace Nacre.Client.Mgc;

/// <summary>After a configuration lock is lost: a pause, then lock again and read what is new (04 section 8.4).</summary>
internal sealed partial class ManagementClient
{
    private void Lose(FollowedLog log)
    {
        lock (_gate)
        {
            _lost |= log;
            if (_following.IsCompleted && !_stopping.IsCancellationRequested)
            {
                _following = Task.Run(FollowAsync, CancellationToken.None);
            }
        }
    }

    /// <summary>One at a time; goes on as long as something is lost.</summary>
    private async Task FollowAsync()
    {
        try
        {
            while (TakeLost() is var lost and not FollowedLog.None)
            {
                var delay = _options.ConfigurationDelay * (1 + Random.Shared.NextDouble());
                await Task.Delay(delay, _options.Time, _stopping).ConfigureAwait(false);
                await FollowAsync(lost).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The mount ends.
        }
    }

    /// <summary>What comes after the last look at it starts a new follower.</summary>
    private FollowedLog TakeLost()
    {
        lock (_gate)
        {
            var lost = _lost;
            _lost = FollowedLog.None;
            if (lost == FollowedLog.None)
            {
                _following = Task.CompletedTask;
            }

            return lost;
        }
    }

    private async Task FollowAsync(FollowedLog lost)
    {
        await _reading.WaitAsync(_stopping).ConfigureAwait(false);
        try
        {
            if ((lost & FollowedLog.Table) != 0)
            {
                await FollowTableAsync(_stopping).ConfigureAwait(false);
            }

            if ((lost & FollowedLog.Configuration) != 0)
            {
                await LockAsync(FollowedLog.Configuration, _stopping).ConfigureAwait(false);
                await ReadLogAsync($"{_options.FileSystem}-client", _stopping).ConfigureAwait(false);
                await _onChange(_configuration, _stopping).ConfigureAwait(false);
            }
        }
        catch (ErrnoException failure)
        {
            LogFollowFailed(_log, _options.FileSystem, failure.Message);
            lock (_gate)
            {
                _lost |= lost;
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    [LoggerMessage(4020, LogLevel.Warning, "reading the configuration of {FileSystem} again failed: {Why}; it is tried again")]
    private static partial void LogFollowFailed(ILogger log, string fileSystem, string why);
}
