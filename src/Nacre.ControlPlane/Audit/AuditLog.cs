using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Nacre.LNet;

namespace Nacre.ControlPlane.Audit;

/// <param name="Folder">Made when it is not there, for its owner only.</param>
public sealed record AuditOptions(string Folder)
{
    /// <summary>Where the log of a node is, below its data folder.</summary>
    public const string FolderName = "audit";

    public long MaxFileBytes { get; init; } = 16 << 20;

    /// <summary>Beside the one that grows.</summary>
    public int MaxOldFiles { get; init; } = 15;

    /// <summary>Longest time a call waits for its line.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>
/// Every call of the API, a line of JSON each. A call is answered when its line is with the operating system, so a killed process has told
/// nobody of a call that is not in the log; when the disk is slow, full or broken, calls go on, and the lines that are missing are counted in the next
/// that can be written. Safe for any thread.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    /// <summary>Lines that wait for the disk; more are lost, and counted.</summary>
    private const int MaxWaiting = 4096;

    /// <summary>Lines written by one call of the system.</summary>
    private const int MaxBatch = 256;

    /// <summary>How long a disk that hangs holds up the end of the node.</summary>
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    private readonly Channel<Line> _lines = Channel.CreateBounded<Line>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly AuditOptions _options;
    private readonly AuditFiles _files;
    private readonly LogRateLimit _failuresPerMinute;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Task _writer;
    private int _lost;
    private bool _isFailing;

    public AuditLog(AuditOptions options, TimeProvider time, ILoggerFactory logging)
    {
        _options = options;
        _time = time;
        _files = new AuditFiles(options.Folder, options.MaxFileBytes, options.MaxOldFiles);
        _failuresPerMinute = new LogRateLimit(time, lines: 10, periodMilliseconds: 60_000);
        _log = logging.CreateLogger<AuditLog>();
        _writer = Task.Run(WriteAllAsync);
    }

    /// <summary>Waits until the line is written, but no longer than <see cref="AuditOptions.MaxWait"/>. Never fails.</summary>
    public async ValueTask WriteAsync(AuditRecord record)
    {
        var line = new Line(record.ToLine(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _lost);
            return;
        }

        // Real time: how long the disk takes has nothing to do with the time that tests make pass.
        await line.Written.Task.WaitAsync(_options.MaxWait).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// As <see cref="WriteAsync"/> for a call whose caller could not be told, which anybody can make at will: only ten a minute leave a line, and each says how
    /// many did not.
    /// </summary>
    public ValueTask WriteFailedAuthenticationAsync(AuditRecord record) =>
        _failuresPerMinute.TryEnter(out var suppressed)
            ? WriteAsync(record with { Suppressed = suppressed })
            : ValueTask.CompletedTask;

    /// <summary>Writes what is waiting, as far as the disk takes it.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writer.WaitAsync(CloseTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // While it hangs, the file is the writer's.
        if (_writer.IsCompleted) _files.Dispose();
        else Log.WriteFailed(_log, _options.Folder, "a write does not end");
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Line>();
        var bytes = new MemoryStream();
        while (await _lines.Reader.WaitToReadAsync())
        {
            batch.Clear();
            bytes.SetLength(0);
            while (batch.Count < MaxBatch && _lines.Reader.TryRead(out var line)) batch.Add(line);
            WriteBatch(batch, bytes);
            foreach (var line in batch) line.Written.TrySetResult();
        }
    }

    private void WriteBatch(List<Line> batch, MemoryStream bytes)
    {
        var lost = Interlocked.Exchange(ref _lost, 0);
        if (lost > 0) bytes.Write(LostLine(lost));
        foreach (var line in batch) bytes.Write(line.Bytes);
        try
        {
            _files.Append(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
            if (_isFailing) Log.Recovered(_log, _options.Folder, lost);
            _isFailing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Interlocked.Add(ref _lost, lost + batch.Count);
            // Once, and not for every call until the disk is well again.
            if (!_isFailing) Log.WriteFailed(_log, _options.Folder, e.Message);
            _isFailing = true;
        }
    }

    private byte[] LostLine(int lost) => new LostRecord(_time.GetUtcNow(), lost).ToLine();

    private readonly record struct Line(byte[] Bytes, TaskCompletionSource Written);
}
