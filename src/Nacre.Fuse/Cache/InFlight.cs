using Nacre.Fuse.Protocol;
using Nacre.Fuse.Session;

namespace Nacre.Fuse.Cache;

/// <summary>
/// What the requests under way may be holding in the kernel. Read without a lock while requests come and go: what ends meanwhile is held
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
    /// Whether a request is under way that has to do with the node: it may hold the lock of a directory, or keep an inode from being evicted.
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

    /// <summary>Whether a truncation is under way, until whose answer the kernel keeps what it has to write back.</summary>
    public bool Truncates(ulong nodeId)
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && request.IsTruncation && request.Header.NodeId == nodeId) return true;
        }

        return false;
    }

    /// <summary>Whether the kernel asks for attributes of the node.</summary>
    public bool AsksForAttributes(ulong nodeId)
    {
        foreach (var request in requests.All)
        {
            if (request.InFlight && request.Header.NodeId == nodeId && request.Header.Opcode is FuseOpcode.GetAttributes) return true;
        }

        return false;
    }

    /// <summary>Whether a READ of any of these pages is under way.</summary>
    public bool Reads(ulong nodeId, PageRange pages)
    {
        foreach (var request in requests.All)
        {
            if (IsTransfer(request, nodeId, FuseOpcode.Read) && request.Pages.Touches(pages)) return true;
        }

        return false;
    }

    /// <summary>The pages that READs of the file keep locked, and empty, until their answers. Those whose answer is on the way are soon to be had, and filled.</summary>
    public List<PageRange> PagesRead(ulong nodeId)
    {
        var ranges = new List<PageRange>();
        foreach (var request in requests.All)
        {
            if (IsTransfer(request, nodeId, FuseOpcode.Read) && !request.HasData) ranges.Add(request.Pages);
        }

        return ranges;
    }

    /// <summary>
    /// The pages that WRITEs of the file cover in part. The kernel keeps one locked until the answer if it was not there before, and then it holds nothing but
    /// what is being written.
    /// </summary>
    public List<PageRange> EdgesWritten(ulong nodeId)
    {
        var ranges = new List<PageRange>();
        foreach (var request in requests.All)
        {
            if (!IsTransfer(request, nodeId, FuseOpcode.Write)) continue;
            long start = request.RangeOffset, end = start + request.RangeLength;
            if (start != PageRanges.Down(start)) ranges.Add(PageRanges.Of(start, 1));
            if (end != PageRanges.Down(end)) ranges.Add(PageRanges.Of(end - 1, 1));
        }

        return ranges;
    }

    private static bool IsTransfer(FuseRequest request, ulong nodeId, FuseOpcode opcode) =>
        request.InFlight && request.RangeLength > 0 && !request.IsWriteBack && request.Header.NodeId == nodeId && request.Header.Opcode == opcode;
}
