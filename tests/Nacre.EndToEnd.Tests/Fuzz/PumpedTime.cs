using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>A clock that runs as fast as it is told: evictions that take minutes end within a test.</summary>
public sealed class PumpedTime : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stopped = new();
    private readonly Thread _pump;

    public PumpedTime()
    {
        Clock.SetUtcNow(DateTimeOffset.UtcNow);
        _pump = new Thread(Run) { IsBackground = true, Name = "test clock" };
        _pump.Start();
    }

    public FakeTimeProvider Clock { get; } = new();

    /// <summary>Seconds the clock moves in one second.</summary>
    public double Speed { get; set; } = 1;

    public void Dispose()
    {
        _stopped.Cancel();
        _pump.Join();
    }

    private void Run()
    {
        var last = Stopwatch.GetTimestamp();
        while (!_stopped.IsCancellationRequested)
        {
            Thread.Sleep(Step);
            var now = Stopwatch.GetTimestamp();
            Clock.Advance(Stopwatch.GetElapsedTime(last, now) * Speed);
            last = now;
        }
    }
}
