using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>What the metadata target keeps of one connected client. Guarded by the store's gate, because a file is counted
/// open in the store and listed here in one step.</summary>
internal sealed class MdtExportState
{
    /// <summary>Open files by cookie.</summary>
    public Dictionary<ulong, OpenFile> OpenFiles { get; } = [];

    /// <summary>The export is closed: nothing may be added any more.</summary>
    public bool Closed { get; set; }

    /// <summary>The client remounted read-only (05 section 3.10).</summary>
    public volatile bool ReadOnly;
}

/// <summary>An open handle: what it was opened on, and how.</summary>
internal readonly record struct OpenFile(LuFid Fid, OpenMode Mode);
