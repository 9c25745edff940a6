using Nacre.Client.Lov;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>
/// An object of the file system in memory, one for each FID. It stays as long as anything pins it: references handed out with entries, locks held
/// on it, open files, operations under way.
/// <para>What is cached in it is right as long as a lock holds the bit for it (05 section 6.5): the bits are those of all locks together, since none of
/// them would outlive a change. Everything guarded by <c>_gate</c> unless said otherwise.</para>
/// </summary>
internal sealed partial class LustreInode : Node, IFileOwner
{
    private readonly Lock _gate = new();
    private readonly InodeTable _table;
    private readonly List<ClientLock> _locks = [];
    private InodeBits _bits;
    private MdtBody _body;
    private byte[] _acl = [];
    private int _updateEpoch;

    /// <summary>One lock has held the body and all bits for it since it was told.</summary>
    private bool _bodyIsHeld;
    private bool _attributesPromised;
    private FileData? _data;
    private Task _closingData = Task.CompletedTask;
    private FileLayout? _layout;
    private byte[]? _linkTarget;

    public LustreInode(InodeTable table, LuFid fid, uint fileType)
    {
        _table = table;
        Fid = fid;
        FileType = fileType;
        Inode = InodeNumbers.Of(fid);
    }

    public LuFid Fid { get; }

    public override ulong Inode { get; }

    public override uint FileType { get; }

    public bool IsDirectory => FileType == FileTypes.Directory;

    public bool IsRegular => FileType == FileTypes.Regular;

    /// <summary>What keeps it in memory; guarded by the table.</summary>
    internal long Pins { get; set; }

    /// <summary>Remembered names in this directory; guarded by the name cache, as the two below.</summary>
    internal NameCache.DirectoryNames? Names { get; set; }

    /// <summary>How many of <see cref="Names"/> are of what does not exist.</summary>
    internal int AbsentNames { get; set; }

    /// <summary>Remembered names of this inode in its directories.</summary>
    internal List<NameCache.Entry>? NamesOf { get; set; }

    internal bool HasData
    {
        get
        {
            lock (_gate)
            {
                return _data is not null || !_closingData.IsCompleted;
            }
        }
    }

    public LdlmResId Resource => LdlmResId.OfFid(Fid);

    /// <summary>Group, for the supplementary group of requests; a guess once the attributes are out of date.</summary>
    public uint Group
    {
        get
        {
            lock (_gate)
            {
                return _body.Gid;
            }
        }
    }

    Node IFileOwner.Node => this;

    IKernelCache? IFileOwner.KernelCache => _table.KernelCache;

    (uint Uid, uint Gid, uint ProjectId) IFileOwner.Owner
    {
        get
        {
            lock (_gate)
            {
                return (_body.Uid, _body.Gid, _body.Projid);
            }
        }
    }

    public bool Holds(InodeBits bits)
    {
        lock (_gate)
        {
            return (_bits & bits) == bits;
        }
    }

    /// <summary>The MDT's attributes as they were last told; true when a lock holds them.</summary>
    public bool TryGetBody(out MdtBody body)
    {
        lock (_gate)
        {
            body = _body;
            return _bodyIsHeld;
        }
    }

    /// <summary>
    /// Notes that the kernel may keep the attributes; false when the lock on them is gone meanwhile, so that it may not. What is cached above has
    /// to be called back afterwards.
    /// </summary>
    public bool TryPromiseAttributes()
    {
        lock (_gate)
        {
            _attributesPromised |= _bodyIsHeld;
            return _bodyIsHeld;
        }
    }

    /// <summary>Attributes that came without a lock: right now, perhaps not for long. Those under a lock are at least as new.</summary>
    public void TakeUnlocked(in MdtBody body)
    {
        lock (_gate)
        {
            if (!_bodyIsHeld)
            {
                Merge(body);
            }
        }
    }

    /// <summary>The access ACL as last told, empty for none; true when a lock holds it.</summary>
    public bool TryGetAcl(out byte[] acl)
    {
        lock (_gate)
        {
            acl = _acl;
            return _bodyIsHeld;
        }
    }

    /// <summary>
    /// Of a directory: a number that stays the same as long as no name in it can have changed, or -1 when one may have. What was absent under a
    /// number and is asked about under the same is absent still.
    /// </summary>
    public int NamesEpoch
    {
        get
        {
            lock (_gate)
            {
                return (_bits & AttributeBits) == AttributeBits ? _updateEpoch & int.MaxValue : -1;
            }
        }
    }

    /// <summary>As <see cref="NamesEpoch"/>, for the pages of a listing, which the UPDATE bit alone holds.</summary>
    public int PagesEpoch
    {
        get
        {
            lock (_gate)
            {
                return (_bits & InodeBits.Update) != 0 ? _updateEpoch & int.MaxValue : -1;
            }
        }
    }

    /// <summary>Target of a symbolic link, which never changes.</summary>
    public byte[]? LinkTarget
    {
        get => Volatile.Read(ref _linkTarget);
        set => Volatile.Write(ref _linkTarget, value);
    }

    /// <summary>Fields that a reply leaves out keep their value (05 section 2.4).</summary>
    private void Merge(in MdtBody body)
    {
        var old = _body;
        _body = body;
        if ((body.Valid & ObdMd.FlProjid) == 0)
        {
            _body.Projid = old.Projid;
        }

        if ((body.Valid & ObdMd.FlFlags) == 0)
        {
            _body.Flags = 0;
        }

        LearnAccess(old, body);
    }

    /// <summary>What <c>stat</c> shows, less what objects know.</summary>
    internal const InodeBits AttributeBits = InodeBits.Update | InodeBits.Perm;
}

/// <summary>LustreInode numbers as kernel clients show them (04 section 12.1).</summary>
internal static class InodeNumbers
{
    private const ulong FirstIdif = 0x1_0000_0000;
    private const ulong FirstIgif = 0xc;

    public static ulong Of(LuFid fid)
    {
        if (fid.Sequence is >= FirstIgif and < FirstIdif)
        {
            return fid.Sequence;
        }

        var number = unchecked((fid.Sequence << 24) + ((fid.Sequence >> 24) & 0xffffff0000) + fid.ObjectId);
        return number == 0 ? fid.ObjectId : number;
    }
}
