using System.Text;
using Nacre.Client.Vfs;

namespace Nacre.Fuse.Tests.Twin;

/// <summary>
/// What another client does: it gets its lock when this one has given up its own, and that is when the kernel has dropped
/// what it caches.
/// </summary>
internal sealed partial class TwinVfs
{
    public TwinNode Find(string path)
    {
        lock (_gate)
        {
            var node = RootNode;
            foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                node = node.Child(new TwinName(Encoding.UTF8.GetBytes(part))) ?? throw new FileNotFoundException(path);
            }

            return node;
        }
    }

    public async Task RemoteWriteAsync(TwinNode node, long offset, byte[] data)
    {
        await KernelCache!.DropDataAsync(node, 0, long.MaxValue);
        await KernelCache.DropAttributesAsync(node);
        lock (_gate)
        {
            node.Bytes.Write(offset, data);
            Touch(node);
        }
    }

    public async Task RemoteChmodAsync(TwinNode node, uint mode)
    {
        await KernelCache!.DropAttributesAsync(node);
        lock (_gate)
        {
            node.Mode = node.FileType | mode;
        }
    }

    public async Task RemoteMakeAsync(TwinNode directory, string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        await KernelCache!.DropNameAsync(directory, bytes);
        await KernelCache.DropAttributesAsync(directory);
        lock (_gate)
        {
            MakeChild(directory, new TwinName(bytes), TwinNode.Regular | 0x1A4, 0, Credentials.Root);
        }
    }

    public async Task RemoteUnlinkAsync(TwinNode directory, string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        await KernelCache!.DropNameAsync(directory, bytes);
        await KernelCache.DropAttributesAsync(directory);
        lock (_gate)
        {
            var child = directory.Child(new TwinName(bytes))!;
            Detach(directory, new TwinName(bytes), child);
        }
    }

    public byte[] BytesOf(TwinNode node)
    {
        lock (_gate)
        {
            return node.Bytes.Read(0, int.MaxValue);
        }
    }

    public int LocksOf(TwinNode node)
    {
        lock (_gate)
        {
            return node.Locks.Count;
        }
    }

    public int LockWaitersOf(TwinNode node)
    {
        lock (_gate)
        {
            return node.Locks.Waiting;
        }
    }
}
