using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Nacre.Cli.Mount;

/// <summary>One line an event, appended to a file.</summary>
internal sealed class FileLogProvider : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file;

    /// <exception cref="FormatException">The file cannot be opened.</exception>
    public FileLogProvider(string path)
    {
        try
        {
            _file = new StreamWriter(path, append: true, new UTF8Encoding(false)) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"the log {path} cannot be written: {e.Message}");
        }
    }

    public ILogger CreateLogger(string categoryName) => new FileLogger(this, categoryName);

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }

    private void Write(string line)
    {
        lock (_gate)
        {
            _file.WriteLine(line);
        }
    }

    private sealed class FileLogger(FileLogProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string time = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            string failure = exception is null ? "" : " " + exception.ToString().ReplaceLineEndings(" ");
            provider.Write($"{time} {logLevel}: {category}[{eventId.Id}] {formatter(state, exception)}{failure}");
        }
    }
}
