using System.Collections.Concurrent;
using System.Text;
using Nacre.Client.Vfs;

namespace Nacre.Client.Tests.Harness;

/// <summary>Stands where the kernel's caches are: notes what is called back.</summary>
public sealed class KernelTwin : IKernelCache
{
    public ConcurrentQueue<(Node Directory, string Name)> Names { get; } = new();

    public ConcurrentQueue<Node> Attributes { get; } = new();

    public ConcurrentQueue<(Node Node, long Offset, long Length)> Data { get; } = new();

    public ValueTask DropAttributesAsync(Node node)
    {
        Attributes.Enqueue(node);
        return ValueTask.CompletedTask;
    }

    public ValueTask DropDataAsync(Node node, long offset, long length)
    {
        Data.Enqueue((node, offset, length));
        return ValueTask.CompletedTask;
    }

    public ValueTask DropNameAsync(Node directory, ReadOnlyMemory<byte> name)
    {
        Names.Enqueue((directory, Encoding.UTF8.GetString(name.Span)));
        return ValueTask.CompletedTask;
    }

    public bool WasToldOf(Node directory, string name) => Names.Contains((directory, name));
}
