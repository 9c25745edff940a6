using Nacre.Client.Vfs;

namespace Nacre.Fuse.Tests.Twin;

/// <summary>
/// A small file system in memory behind the same interface as the Lustre client. It promises that all may be cached, unless
/// told otherwise, and
/// changes made as another client would make them (Remote...) take the promises back first. <see cref="Gate"/> can hold
/// operations.
/// </summary>
internal sealed partial class TwinVfs : IVfs
{
    private readonly Lock _gate = new();
    private readonly HashSet<TwinNode> _known = [];
    private ulong _nextInode = 1;

    public TwinVfs()
    {
        RootNode = Make(TwinNode.Directory | 0x1ED, 0, 0);
        RootNode.Parent = RootNode;
    }

    public TwinNode RootNode { get; }

    public Node Root => RootNode;

    public IKernelCache? KernelCache { get; set; }

    /// <summary>Whether names and attributes may be cached.</summary>
    public bool Caches { get; set; } = true;

    /// <summary>Awaited at the start of each operation, if set; what it throws the operation throws.</summary>
    public Func<string, TwinNode, CancellationToken, ValueTask>? Gate { get; set; }

    /// <summary>Awaited by lookups when they have their answer.</summary>
    public Func<string, Task>? AfterLookup { get; set; }

    /// <summary>Operations so far, by name.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, int> Counts { get; } = new();

    public int CountOf(string operation) => Counts.GetValueOrDefault(operation);

    /// <summary>Nodes referred to from above, opens, and open files.</summary>
    public (int Referenced, long References, int Opens) InUse()
    {
        lock (_gate)
        {
            return (_known.Count(node => node.References > 0), _known.Sum(node => node.References), _known.Sum(node => node.Opens));
        }
    }

    public void Forget(Node node, ulong count)
    {
        lock (_gate)
        {
            ((TwinNode)node).References -= (long)count;
        }
    }

    internal static Timestamp Now()
    {
        long ticks = DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks;
        return new Timestamp(ticks / TimeSpan.TicksPerSecond, (uint)(ticks % TimeSpan.TicksPerSecond * 100));
    }

    private static TwinName Name(ReadOnlyMemory<byte> name) => new(name.Span);

    private ValueTask EnterAsync(string operation, Node node, CancellationToken ct)
    {
        Counts.AddOrUpdate(operation, 1, (_, count) => count + 1);
        return Gate?.Invoke(operation, (TwinNode)node, ct) ?? default;
    }

    private TwinNode Make(uint mode, uint uid, uint gid)
    {
        var now = Now();
        var node = new TwinNode(_nextInode++, mode, uid, gid) { AccessTime = now, ModifyTime = now, ChangeTime = now, BirthTime = now };
        _known.Add(node);
        return node;
    }

    private Entry Reference(TwinNode node)
    {
        node.References++;
        return new Entry(node, node.Attributes(), Caches, Caches);
    }

    private CurrentAttributes Current(TwinNode node) => new(node.Attributes(), Caches);

    private static void Touch(TwinNode node)
    {
        node.ModifyTime = node.ChangeTime = Now();
    }
}
