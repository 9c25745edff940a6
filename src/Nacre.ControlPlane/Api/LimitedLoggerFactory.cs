using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Nacre.LNet;

namespace Nacre.ControlPlane.Api;

/// <summary>
/// Loggers for a library whose lines any peer can cause, one with each connection for instance: of each kind, ten lines in ten seconds pass, and the
/// next one is preceded by the number left out. A kind is a category and an event id. Safe for any thread.
/// </summary>
internal sealed class LimitedLoggerFactory(ILoggerFactory inner, TimeProvider time) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Limited(inner.CreateLogger(categoryName), time);

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>Does nothing: the factory within is its maker's.</summary>
    public void Dispose()
    {
    }

    private sealed class Limited(ILogger inner, TimeProvider time) : ILogger
    {
        // Bounded by the events of the library.
        private readonly ConcurrentDictionary<int, LogRateLimit> _kinds = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!inner.IsEnabled(logLevel)) return;
            if (!_kinds.GetOrAdd(eventId.Id, static (_, time) => new LogRateLimit(time), time).TryEnter(out var suppressed)) return;
            if (suppressed > 0) Api.Log.LeftOut(inner, logLevel, suppressed);
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
