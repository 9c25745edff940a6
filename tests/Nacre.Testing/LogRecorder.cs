using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Nacre.Testing;

/// <summary>Keeps log lines for a test to look at.</summary>
public sealed class LogRecorder<T> : ILogger<T>
{
    public ConcurrentQueue<(LogLevel Level, EventId Event, string Text, Exception? Failure)> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, eventId, formatter(state, exception), exception));
}
