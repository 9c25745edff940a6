using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Nacre.EndToEnd.Harness;

/// <summary>Keeps what a node logs: errors to fail a test with, the last lines to explain it.</summary>
public sealed class LogCollector : ILoggerProvider
{
    private const int KeptLines = 500;

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _errors = new();

    /// <summary>Everything logged as an error, and every exception nobody observed.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    public string Tail => string.Join('\n', _lines);

    public ILoggerFactory NewFactory() => LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Debug).AddProvider(this));

    public ILogger CreateLogger(string categoryName) => new Collecting(this, categoryName);

    public void AddError(string error) => _errors.Enqueue(error);

    /// <exception cref="InvalidOperationException">Something was logged as an error.</exception>
    public void ThrowOnErrors()
    {
        if (!_errors.IsEmpty)
        {
            throw new InvalidOperationException($"the node logged errors:\n{string.Join('\n', _errors)}\nlast lines:\n{Tail}");
        }
    }

    public void Dispose()
    {
    }

    private void Add(LogLevel level, string line)
    {
        _lines.Enqueue(line);
        while (_lines.Count > KeptLines)
        {
            _lines.TryDequeue(out _);
        }

        if (level >= LogLevel.Error)
        {
            _errors.Enqueue(line);
        }
    }

    private sealed class Collecting(LogCollector owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Add(logLevel, $"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel} {category[(category.LastIndexOf('.') + 1)..]}: {formatter(state, exception)} {exception}");
    }
}
