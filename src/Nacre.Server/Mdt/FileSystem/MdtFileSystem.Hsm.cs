using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>The HSM state of files and what changes it (07 sections 3, 5.5, 7.3 and 8), and the queue of actions.</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>The archive of an action that names none, for a file that has none.</summary>
    public const uint DefaultArchive = 1;

    /// <summary>Stripe size of the layout that a file without one gets when it is released (07 section 7.3 step 10).</summary>
    private const uint ReleasedStripeSize = 65_536;

    /// <summary>The state of a file; all zero for one that never had any. ENOENT.</summary>
    public HsmAttrs HsmStateOf(LuFid fid) => HsmOf(Need(fid));

    /// <summary>
    /// Changes the flags as a user or a tool asks (07 section 4.2). EINVAL for bits and combinations there are not, EPERM for who may not.
    /// </summary>
    public MdtResult SetHsmState(in MdtCredentials who, LuFid fid, in HsmStateSet wanted)
    {
        const ulong known = (ulong)HsmStates.All, free = (ulong)HsmStates.UserSettable;
        var inode = Need(fid);
        ulong touched = wanted.SetMask | wanted.ClearMask;
        if ((touched & ~known) != 0 || !inode.IsRegular)
        {
            throw new FsException(Errno.EINVAL);
        }
        if ((touched & ~free) != 0 && !who.Has(Capabilities.SysAdmin))
        {
            throw new FsException(Errno.EPERM);
        }
        var hsm = HsmOf(inode);
        if ((wanted.Valid & HsmStateSetValid.SetMask) != 0)
        {
            hsm.States |= (HsmStates)wanted.SetMask;
        }
        if ((wanted.Valid & HsmStateSetValid.ClearMask) != 0)
        {
            hsm.States &= ~(HsmStates)wanted.ClearMask;
        }
        if ((wanted.Valid & HsmStateSetValid.ArchiveId) != 0)
        {
            hsm.ArchiveId = (hsm.States & HsmStates.Exists) != 0 ? wanted.ArchiveId : throw new FsException(Errno.EINVAL);
        }
        if (!HsmRules.IsPossible(hsm.States))
        {
            throw new FsException(Errno.EINVAL);
        }
        if (!IsOwner(who, inode) || (inode.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0)
        {
            throw new FsException(Errno.EPERM);
        }
        return ChangeHsm(inode, hsm);
    }

    /// <summary>
    /// Queues an action and gives it a cookie. It has to be committed before anybody is told, or a restart loses restores that
    /// clients wait for.
    /// </summary>
    internal (QueuedHsmAction Action, ulong Transaction) QueueHsm(
        HsmUserAction action, LuFid fid, uint archiveId, HsmRequestFlags flags, byte[] data)
    {
        NeedSpace();
        ulong cookie = Store.BeginChange();
        var queued = new QueuedHsmAction(cookie, action, fid, archiveId, flags, _time.GetUtcNow().ToUnixTimeSeconds(), data);
        Store.PutHsmAction(queued);
        return (queued, Store.EndChange());
    }

    /// <summary>Ends an action that changes nothing of the file.</summary>
    internal ulong EndHsm(ulong cookie)
    {
        Store.BeginChange();
        Store.RemoveHsmAction(cookie);
        return Store.EndChange();
    }

    /// <summary>What an earlier run of the server has left in the queue.</summary>
    internal IReadOnlyList<QueuedHsmAction> QueuedHsmActions() => Store.HsmActions();

    /// <summary>An archive begins: from here on the archive may know the file.</summary>
    public MdtResult BeginArchive(LuFid fid, uint archiveId)
    {
        var inode = Need(fid);
        var hsm = HsmOf(inode);
        if ((hsm.States & HsmStates.Exists) != 0 && hsm.ArchiveId == archiveId)
        {
            return Unchanged(inode);
        }
        hsm.States |= HsmStates.Exists;
        hsm.ArchiveId = archiveId;
        return ChangeHsm(inode, hsm);
    }

    /// <summary>An archive ended well: <paramref name="dataVersion"/> is what is in the archive now.</summary>
    public MdtResult FinishArchive(LuFid fid, ulong cookie, ulong dataVersion)
    {
        var inode = Need(fid);
        var hsm = HsmOf(inode);
        hsm.States = (hsm.States | HsmStates.Exists | HsmStates.Archived) & ~(HsmStates.Dirty | HsmStates.Lost);
        hsm.ArchiveVersion = dataVersion;
        return ChangeHsm(inode, hsm, cookie);
    }

    /// <summary>The archive has forgotten the file.</summary>
    public MdtResult FinishRemove(LuFid fid, ulong cookie)
    {
        var inode = Need(fid);
        var hsm = HsmOf(inode);
        hsm.States &= ~(HsmStates.Archived | HsmStates.Exists | HsmStates.Lost | HsmStates.Dirty);
        return ChangeHsm(inode, hsm, cookie);
    }

    /// <summary>
    /// Drops a file's data (07 section 7.3 steps 6 to 12): its layout gets the mark RELEASED, its objects go into the queue of pending
    /// destroys, size and times are the MDT's from now on. EPERM when the state does not allow it or the data is not what was archived. One that is
    /// released already stays as it is.
    /// </summary>
    public MdtResult Release(LuFid fid, ulong dataVersion, in SetAttrArgs size)
    {
        var inode = Need(fid);
        var hsm = HsmOf(inode);
        if ((hsm.States & HsmStates.Released) != 0)
        {
            return Unchanged(inode);
        }
        if (!HsmRules.MayRelease(hsm.States) || hsm.ArchiveVersion != dataVersion)
        {
            throw new FsException(Errno.EPERM);
        }
        var released = ReleasedLayout(inode);
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        ApplyRest(inode, size, size.Valid & (Times | SetAttrValid.Size));
        if (inode.Layout.Length > 0)
        {
            Store.EnqueueDestroy(inode.Number, inode.Layout);
        }
        inode.Layout = released;
        hsm.States |= HsmStates.Released;
        inode.Hsm = Encode(hsm);
        return Done(inode, transno, before);
    }

    /// <summary>
    /// A restore ended well (07 section 8): the file gets the objects of <paramref name="volatileFid"/>, which gets the released layout and dies with it
    /// when it is closed. ENOENT when one of them is gone.
    /// </summary>
    public MdtResult FinishRestore(LuFid fid, LuFid volatileFid, ulong cookie, ulong dataVersion)
    {
        var (inode, from) = (Need(fid), Need(volatileFid));
        if (!inode.IsRegular || !from.IsRegular)
        {
            throw new FsException(Errno.EINVAL);
        }
        uint generation = Math.Max(GenerationOf(inode), GenerationOf(from)) + 1;
        var restored = LayoutOf(from) is { } layout ? Owned(layout, fid, generation) : [];
        var left = LayoutOf(inode) is { } released ? Owned(released, volatileFid, generation) : [];
        var hsm = HsmOf(inode);
        hsm.States &= ~(HsmStates.Released | HsmStates.Dirty);
        hsm.ArchiveVersion = dataVersion;

        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version, from.Version);
        Touch(inode, transno);
        Touch(from, transno);
        inode.Layout = restored;
        from.Layout = left;
        // The size stays as the last one known: what the objects say counts from now on.
        inode.Hsm = Encode(hsm);
        Store.RemoveHsmAction(cookie);
        return Done(inode, transno, before);
    }

    /// <summary>Somebody has written to a file that is archived (07 section 3.3). Inside a change, on a changed inode.</summary>
    private static void MarkDirty(Inode inode)
    {
        if (MakesDirty(inode))
        {
            var hsm = HsmOf(inode);
            hsm.States |= HsmStates.Dirty;
            inode.Hsm = Encode(hsm);
        }
    }

    private static bool MakesDirty(Inode inode) =>
        inode.Hsm.Length > 0 && (HsmOf(inode).States & (HsmStates.Exists | HsmStates.Dirty | HsmStates.Released)) == HsmStates.Exists;

    private MdtResult ChangeHsm(Inode inode, in HsmAttrs hsm, ulong finished = 0)
    {
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        inode.Hsm = Encode(hsm);
        if (finished != 0)
        {
            Store.RemoveHsmAction(finished);
        }
        return Done(inode, transno, before);
    }

    private static HsmAttrs HsmOf(Inode inode) =>
        inode.Hsm.Length == HsmAttrs.Size ? MemoryMarshal.Read<HsmAttrs>(inode.Hsm) : default;

    private static byte[] Encode(in HsmAttrs hsm) => MemoryMarshal.AsBytes(new ReadOnlySpan<HsmAttrs>(in hsm)).ToArray();

    private static LovLayout? LayoutOf(Inode inode)
    {
        if (inode.Layout.Length == 0)
        {
            return null;
        }
        return LovCodec.TryDecode(inode.Layout, userForm: false, out var layout) ? layout : throw new FsException(Errno.EIO);
    }

    private static uint GenerationOf(Inode inode) => LayoutOf(inode)?.EffectiveGeneration ?? 0;

    /// <summary>The layout with the mark and without objects, next generation. Its entries stay, empty, as genuine servers keep them.</summary>
    private static byte[] ReleasedLayout(Inode inode)
    {
        var layout = LayoutOf(inode) ?? LovLayout.Plain(new LovComponent { StripeSize = ReleasedStripeSize });
        foreach (var component in layout.Components)
        {
            component.Pattern |= LovPattern.Released;
            component.Objects = new LovOstData[component.Objects.Length];
        }
        return Owned(layout, inode.Fid, layout.EffectiveGeneration + 1);
    }

    /// <summary>A layout in the hands of a file: its owner, and a generation that the file never had.</summary>
    internal static byte[] Owned(LovLayout layout, LuFid owner, uint generation)
    {
        layout.Generation = generation;
        foreach (var component in layout.Components)
        {
            component.OiId = owner.ObjectId;
            component.OiSeq = owner.Sequence;
        }
        if (!layout.IsComposite)
        {
            layout.Components[0].GenOrOffset = (ushort)generation;
        }
        return LovCodec.Encode(layout);
    }
}
