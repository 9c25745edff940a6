using Nacre.Client.Inodes;
using Nacre.Client.Vfs;

namespace Nacre.Client.Files;

/// <summary>
/// Entries fetched ahead while a directory is walked (statahead): a window of lookups in parallel before the position of the walk, so that each costs a share of a
/// round trip. Not safe for several threads.
/// </summary>
internal sealed class StatAhead
{
    private readonly Queue<(int Index, Task<Outcome<Entry>> Task)> _pending = new();
    private LustreVfs? _vfs;
    private DirectoryChunk? _chunk;
    private int _next;

    /// <summary>Makes sure that the entries from an index on are on their way.</summary>
    /// <param name="window">Lookups under way at a time.</param>
    public void Start(LustreVfs vfs, OpenDirectory directory, DirectoryChunk chunk, int index, int window)
    {
        if (_chunk != chunk || !_pending.TryPeek(out var first) || first.Index != index)
        {
            Drop();
            (_vfs, _chunk, _next) = (vfs, chunk, index);
        }

        while (_next < chunk.Count && _pending.Count < Math.Max(1, window))
        {
            var task = vfs.LookupAsync(directory.Inode, chunk[_next].Name, directory.Who, CancellationToken.None).AsTask();
            _pending.Enqueue((_next++, task));
        }
    }

    /// <summary>The entry at an index that was started, with a reference for the caller.</summary>
    public Task<Outcome<Entry>> TakeAsync(int index)
    {
        var (found, task) = _pending.Dequeue();
        return found == index ? task : throw new InvalidOperationException($"entry {found} is next, not {index}");
    }

    /// <summary>Gives up what was fetched and not taken.</summary>
    public void Drop()
    {
        while (_pending.TryDequeue(out var pending))
        {
            _ = ForgetAsync(_vfs!, pending.Task);
        }
    }

    private static async Task ForgetAsync(LustreVfs vfs, Task<Outcome<Entry>> task)
    {
        var entry = await task.ConfigureAwait(false);
        if (entry is { IsOk: true, Value.Node: { } node })
        {
            vfs.Forget(node, 1);
        }
    }
}
