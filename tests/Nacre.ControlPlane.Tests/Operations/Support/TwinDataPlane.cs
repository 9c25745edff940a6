using Nacre.ControlPlane.DataPlane;

namespace Nacre.ControlPlane.Tests.Operations.Support;

/// <summary>Stands for the servers where only their names matter.</summary>
internal sealed class TwinDataPlane : IDataPlane
{
    public string Address => "10.0.0.5";

    public List<string> Names { get; } = [];

    public IReadOnlyCollection<string> MountNames => Names;

    public Task EnsureAsync(FileSystemShape shape, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RemoveAsync(string mountName, CancellationToken cancellationToken) => Task.CompletedTask;
}
