using Nacre.Client.Vfs;

namespace Nacre.Fuse.Session;

/// <summary>Open files and directories by the handle the kernel uses for them, an index. Finding takes no lock.</summary>
internal sealed class HandleTable
{
    private readonly Lock _gate = new();
    private readonly Stack<ulong> _free = new();
    private OpenNode?[] _files = new OpenNode?[256];
    private ulong _next = 1;

    public ulong Add(OpenNode file)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out ulong handle)) handle = _next++;
            if (handle >= (ulong)_files.Length) Grow();
            Volatile.Write(ref _files[handle], file);
            return handle;
        }
    }

    public OpenNode? Find(ulong handle)
    {
        var files = Volatile.Read(ref _files);
        return handle < (ulong)files.Length ? Volatile.Read(ref files[handle]) : null;
    }

    /// <summary>Null where there is none, or somebody else removed it.</summary>
    public OpenNode? Remove(ulong handle)
    {
        lock (_gate)
        {
            var file = Find(handle);
            if (file is null) return null;
            Volatile.Write(ref _files[handle], null);
            _free.Push(handle);
            return file;
        }
    }

    /// <summary>Removes all, at the end of a session.</summary>
    public List<OpenNode> Clear()
    {
        lock (_gate)
        {
            var all = _files.OfType<OpenNode>().ToList();
            Array.Clear(_files);
            return all;
        }
    }

    private void Grow()
    {
        var larger = new OpenNode?[_files.Length * 2];
        _files.CopyTo(larger, 0);
        Volatile.Write(ref _files, larger);
    }
}
