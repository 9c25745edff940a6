using System.Collections.Concurrent;
using Nacre.ControlPlane.DataPlane;

namespace Nacre.ControlPlane.Tests.Reconciler;

/// <summary>Servers that are made of nothing but what they were asked for. A test can let each call fail or wait, before its effect and behind it.</summary>
internal sealed class TwinDataPlane : IDataPlane
{
    private readonly ConcurrentDictionary<string, FileSystemShape> _fileSystems = new();
    private readonly ConcurrentQueue<string> _calls = new();

    public string Address => "10.0.0.5";

    public IReadOnlyCollection<string> MountNames => [.. _fileSystems.Keys];

    public IReadOnlyDictionary<string, FileSystemShape> FileSystems => _fileSystems;

    /// <summary><c>ensure NAME</c> and <c>remove NAME</c>, those that failed too.</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    public Func<string, CancellationToken, Task>? Before { get; set; }

    public Func<string, CancellationToken, Task>? After { get; set; }

    public Task EnsureAsync(FileSystemShape shape, CancellationToken cancellationToken) =>
        RunAsync($"ensure {shape.MountName}", () => _fileSystems[shape.MountName] = shape, cancellationToken);

    public Task RemoveAsync(string mountName, CancellationToken cancellationToken) =>
        RunAsync($"remove {mountName}", () => _fileSystems.TryRemove(mountName, out _), cancellationToken);

    private async Task RunAsync(string call, Action effect, CancellationToken cancellationToken)
    {
        _calls.Enqueue(call);
        await (Before?.Invoke(call, cancellationToken) ?? Task.CompletedTask);
        effect();
        await (After?.Invoke(call, cancellationToken) ?? Task.CompletedTask);
    }
}
