using System.Collections.Concurrent;

namespace Nacre.Fuse.Session;

/// <summary>
/// Supplementary groups of those who ask, which requests do not carry. Kept for a second: a process that changes them goes
/// on with the
/// same number. At most <see cref="Kept"/> are kept; then all are read anew.
/// </summary>
internal sealed class ProcessGroups
{
    private const int Kept = 4096;
    private const long KeptMilliseconds = 1000;

    private readonly ConcurrentDictionary<(int Thread, uint Uid, uint Gid), (uint[] Groups, long Read)> _known = new();

    public ReadOnlyMemory<uint> Of(int thread, uint uid, uint gid)
    {
        if (thread == 0) return default;
        var key = (thread, uid, gid);
        long now = Environment.TickCount64;
        if (_known.TryGetValue(key, out var known) && now - known.Read < KeptMilliseconds) return known.Groups;
        if (_known.Count >= Kept) _known.Clear();
        var groups = ProcessStatus.Groups(thread);
        _known[key] = (groups, now);
        return groups;
    }
}
