using Nacre.Fuse.Protocol;
using Nacre.Fuse.Session;

namespace Nacre.Fuse.Cache;

/// <summary>
/// What the requests under way may be holding in the kernel. Read without a lock while requests come and go: what ends
/// meanwhile is held
/// for held, what begins meanwhile is seen at the next look. Write-back of mapped pages holds nothing that a drop may not
/// wait for.
/// </summary>
internal sealed class InFlight(RequestPool requests)
{
    /// <summary>Whether anything is under way.</summary>
    public bool Any()
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && !request.IsWriteBack) return true;
        }

        return false;
    }

    /// <summary>
    /// Whether a request is under way that has to do with the node: it may hold the lock of a directory, pages of a file.
    /// </summary>
    public bool OnNode(ulong nodeId)
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && !request.IsWriteBack && (request.Header.NodeId == nodeId || request.SecondNodeId == nodeId)) return true;
        }

        return false;
    }

    /// <summary>Whether a rename to that name is under way, which holds the directory for certain.</summary>
    public bool RenamesTo(ulong directoryId, int name)
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && request.SecondNodeId == directoryId && request.SecondName == name) return true;
        }

        return false;
    }

    /// <summary>Whether pages made dirty through a mapping are being written.</summary>
    public bool WritesBack(ulong nodeId)
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && request.IsWriteBack && request.Header.NodeId == nodeId) return true;
        }

        return false;
    }

    /// <summary>
    /// Adds the pages that requests of the file keep locked and empty until their answers: all of a READ; of a WRITE those
    /// that it covers in
    /// part, unless they were there before.
    /// </summary>
    public void AddLockedPages(ulong nodeId, List<(long Start, long End)> ranges, bool withWrites)
    {
        foreach (var request in requests.All)
        {
            if (!request.InFlight || request.RangeLength == 0 || request.IsWriteBack || request.Header.NodeId != nodeId) continue;
            long start = request.RangeOffset, end = start + request.RangeLength;
            if (request.Header.Opcode == FuseOpcode.Read) ranges.Add((start, end));
            else if (withWrites) AddEdges(ranges, start, end);
        }
    }

    private static void AddEdges(List<(long Start, long End)> ranges, long start, long end)
    {
        if (start != PageRanges.Down(start)) ranges.Add((start, start + 1));
        if (end != PageRanges.Down(end)) ranges.Add((end - 1, end));
    }
}
