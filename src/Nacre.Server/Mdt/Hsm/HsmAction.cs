using Nacre.Ldlm;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>How far an action is. Only waiting ones are in the store: a restart begins them again.</summary>
internal enum HsmActionStatus
{
    /// <summary>Its transaction is not committed: nobody may be told of it.</summary>
    Uncommitted,
    Waiting,
    /// <summary>A copytool has it.</summary>
    Running,
    /// <summary>A copytool still works on it and will hear of it at its next report.</summary>
    Canceled,
    /// <summary>A report of its end is being worked on.</summary>
    Ending,
}

/// <summary>An action in the queue. Changed under the queue's lock only.</summary>
internal sealed class HsmAction(QueuedHsmAction queued, ServerLock? layoutLock)
{
    private ServerLock? _layoutLock = layoutLock;

    public ulong Cookie => queued.Cookie;

    public LuFid Fid => queued.Fid;

    public HsmUserAction Action => queued.Action;

    public uint ArchiveId => queued.ArchiveId;

    public HsmRequestFlags Flags => queued.Flags;

    public byte[] Data => queued.Data;

    public HsmActionStatus Status { get; set; } = HsmActionStatus.Uncommitted;

    /// <summary>Who works on it.</summary>
    public HsmAgent? Agent { get; set; }

    /// <summary>The volatile file a restore goes to, once it was named.</summary>
    public LuFid DataFid { get; set; }

    /// <summary>Bytes moved so far, as reported.</summary>
    public ulong Moved { get; set; }

    /// <summary>Timestamp of the dispatch or the last report.</summary>
    public long LastHeard { get; set; }

    /// <summary>Lets go of the layout that a restore holds: whoever waits to read goes on.</summary>
    public void ReleaseLayout() => Interlocked.Exchange(ref _layoutLock, null)?.Dispose();

    public HsmCopytoolAction CopytoolAction => Action switch
    {
        HsmUserAction.Archive => HsmCopytoolAction.Archive,
        HsmUserAction.Restore => HsmCopytoolAction.Restore,
        HsmUserAction.Remove => HsmCopytoolAction.Remove,
        _ => HsmCopytoolAction.None,
    };
}
