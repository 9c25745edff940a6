using Nacre.Client.Vfs;

namespace Nacre.Fuse.Tests.Twin;

internal sealed partial class TwinVfs
{
    private const ulong SelfCookie = 1, ParentCookie = 2;

    /// <summary>Whether listings come with entries where asked for.</summary>
    public bool ListsEntries { get; set; } = true;

    public async ValueTask<Outcome<Opened>> OpenDirectoryAsync(Node directory, Credentials who, CancellationToken ct)
    {
        await EnterAsync("opendir", directory, ct);
        lock (_gate)
        {
            return Open((TwinNode)directory, 0);
        }
    }

    public async ValueTask<Outcome<Done>> ReadDirectoryAsync(
        OpenNode directory, ulong cookie, bool withEntries, IDirectorySink sink, CancellationToken ct)
    {
        await EnterAsync(withEntries ? "readdirplus" : "readdir", directory.Node, ct);
        lock (_gate)
        {
            var node = ((TwinFile)directory).Twin;
            if (cookie < SelfCookie && !sink.TryAdd("."u8, node.Inode, TwinNode.Directory, SelfCookie)) return default(Done);
            if (cookie < ParentCookie && !sink.TryAdd(".."u8, node.Parent!.Inode, TwinNode.Directory, ParentCookie)) return default(Done);
            for (int i = First(node, cookie); i < node.Listing.Count; i++)
            {
                var (name, child) = node.Listing.Values[i];
                if (!Add(sink, name, child, node.Listing.Keys[i], withEntries && ListsEntries)) break;
            }

            return default(Done);
        }
    }

    private bool Add(IDirectorySink sink, TwinName name, TwinNode child, ulong cookie, bool withEntry)
    {
        if (!withEntry) return sink.TryAdd(name.Span, child.Inode, child.FileType, cookie);
        var entry = Reference(child);
        if (sink.TryAddEntry(name.Span, in entry, cookie)) return true;
        child.References--;
        return false;
    }

    private static int First(TwinNode node, ulong after)
    {
        int low = 0, high = node.Listing.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (node.Listing.Keys[middle] <= after) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
