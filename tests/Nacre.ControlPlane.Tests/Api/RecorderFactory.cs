using Microsoft.Extensions.Logging;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>Gives every category the same logger.</summary>
internal sealed class RecorderFactory(ILogger log) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => log;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
