using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>
/// POSIX operations on one metadata store: permissions, link counts, ACLs, orphans, everything the MDT decides and nothing
/// of the wire (05 sections 4, 5, 9). All members are synchronous and must be called with <see cref="MetadataStore.Gate"/>
/// held; ldlm locks are the caller's affair and are taken before. A refused operation throws <see cref="FsException"/> with
/// a positive errno and has changed nothing. A change is in the open transaction when the call returns: wait for
/// <c>Store.WhenCommitted(result.Transaction)</c> outside the gate before answering. Reads name the transaction they depend
/// on in the same way. After an exception, waiting for <c>Store.PendingTransaction</c> makes sure the refusal does not rest on
/// an uncommitted change.
/// </summary>
public sealed partial class MdtFileSystem
{
    /// <summary>FID of the root directory (04).</summary>
    public static readonly LuFid Root = LuFid.Root;

    public MdtFileSystem(MetadataStore store, MdtFileSystemOptions options, TimeProvider time)
        => throw new NotImplementedException();

    public MetadataStore Store => throw new NotImplementedException();

    // ---- reading ----

    /// <summary>Attributes by FID, no permission check. An open-unlinked object is still found. ENOENT.</summary>
    public MdtObject GetAttr(LuFid fid) => throw new NotImplementedException();

    /// <summary>As <see cref="GetAttr"/>, but false instead of ENOENT.</summary>
    public bool TryGetAttr(LuFid fid, out MdtObject found) => throw new NotImplementedException();

    /// <summary>Name in a directory, "." and ".." included; needs search permission. ENOENT only when the parent itself is
    /// gone; ENOTDIR, EACCES, EINVAL, ENAMETOOLONG.</summary>
    public MdtLookup Lookup(in MdtCredentials who, LuFid parent, ReadOnlySpan<byte> name) => throw new NotImplementedException();

    /// <summary>access(2)-like check; mask r=4 w=2 x=1 (05 section 9.2). EACCES, ENOENT.</summary>
    public void CheckAccess(in MdtCredentials who, LuFid fid, int mask) => throw new NotImplementedException();

    /// <summary>Entries from cookie <paramref name="from"/> on, ascending, until the sink refuses one. No permission check.
    /// An unlinked directory is empty. ENOENT, ENOTDIR.</summary>
    public MdtReadDir ReadDir<TSink>(LuFid directory, ulong from, ref TSink sink) where TSink : IDirEntrySink, allows ref struct
        => throw new NotImplementedException();

    /// <summary>Value by full name (no permission check). Knows trusted.lov, trusted.lma, trusted.link, trusted.hsm, trusted.som
    /// besides stored ones. ENOENT, ERANGE (name too long).</summary>
    public MdtXattrValue GetXattr(LuFid fid, ReadOnlySpan<byte> name) => throw new NotImplementedException();

    /// <summary>All names and values in a stable order, derived trusted.* ones included (05 section 20.5).</summary>
    public MdtXattrList ListXattrs(LuFid fid) => throw new NotImplementedException();

    /// <summary>Path of hard link <paramref name="linkNo"/> of an object below <paramref name="root"/>. EINVAL (not below root, bad FID),
    /// ENOENT, ENODATA (no link known), EOVERFLOW (longer than <paramref name="maxLength"/> bytes).</summary>
    public MdtPath PathOf(LuFid fid, uint linkNo, LuFid root, int maxLength) => throw new NotImplementedException();

    /// <summary>Walks a fileset path "/a/b" from the root without permission checks (05 section 3.1). EINVAL, ENOENT, ENOTDIR.</summary>
    public MdtObject ResolveFileset(ReadOnlySpan<byte> path) => throw new NotImplementedException();

    public MdtStatFs StatFs() => throw new NotImplementedException();

    // ---- names ----

    /// <summary>mkdir, mknod, symlink, or the create half of an open (regular). ENOENT, ENOTDIR, EACCES, EEXIST, EINVAL (name, FID),
    /// ENAMETOOLONG, ENOSPC.</summary>
    public MdtResult Create(in MdtCredentials who, in CreateArgs args) => throw new NotImplementedException();

    /// <summary>A regular file without a name (05 section 7.5): nlink 0, in the orphan list, gone at last close.
    /// <c>args.Name</c> is ignored; <c>args.Parent</c> gives group and defaults.</summary>
    public MdtResult CreateVolatile(in MdtCredentials who, in CreateArgs args) => throw new NotImplementedException();

    public MdtResult Link(in MdtCredentials who, in LinkArgs args) => throw new NotImplementedException();

    /// <summary>unlink and rmdir. <c>Object</c> is the victim with its remaining nlink.</summary>
    public MdtResult Unlink(in MdtCredentials who, in UnlinkArgs args) => throw new NotImplementedException();

    /// <summary>rename (05 section 5.7). <c>Object</c> is the overwritten object if there was one. Two links of one inode:
    /// nothing happens, transno 0.</summary>
    public MdtResult Rename(in MdtCredentials who, in RenameArgs args) => throw new NotImplementedException();

    // ---- attributes ----

    /// <summary>setattr by the rules of 05 sections 5.3 and 9.3. When nothing had to change (all times dropped by the ctime
    /// rule): Transno 0.</summary>
    public MdtResult SetAttr(in MdtCredentials who, in SetAttrArgs args) => throw new NotImplementedException();

    /// <summary>Sets or (empty) removes the default file layout of a directory. ENOTDIR, EPERM.</summary>
    public MdtResult SetDefaultLayout(in MdtCredentials who, LuFid directory, ReadOnlySpan<byte> layout, FileTime? ctime)
        => throw new NotImplementedException();

    /// <summary>Replaces the LOV EA of a regular file (empty: none); no permission check. The old objects are not queued for
    /// destroy: see <see cref="QueueDestroy"/>. ENOENT, EINVAL.</summary>
    public MdtResult SetLayout(LuFid fid, ReadOnlySpan<byte> layout) => throw new NotImplementedException();

    /// <summary>Sets trusted.hsm (empty: removes); no permission check.</summary>
    public MdtResult SetHsm(LuFid fid, ReadOnlySpan<byte> hsm) => throw new NotImplementedException();

    public MdtResult SetXattr(
        in MdtCredentials who, LuFid fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, XattrFlags flags, FileTime? ctime)
        => throw new NotImplementedException();

    public MdtResult RemoveXattr(in MdtCredentials who, LuFid fid, ReadOnlySpan<byte> name, FileTime? ctime)
        => throw new NotImplementedException();

    /// <summary>Stores an xattr of the server itself (e.g. trusted.dmv) without permission checks; empty value removes.</summary>
    public MdtResult SetInternalXattr(LuFid fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        => throw new NotImplementedException();

    // ---- open files ----

    /// <summary>
    /// Checks and counts an open of an existing object of any type but symlink (05 section 6.6 steps 8, 11, 12).
    /// <paramref name="created"/>: made by this very request, so permissions are not checked. The result carries a transno even
    /// for a read-only open. EACCES, EPERM (append, immutable), EISDIR, ENOTDIR, ETXTBSY, ENOENT (unlinked and not open).
    /// </summary>
    public MdtResult Open(in MdtCredentials who, LuFid fid, OpenMode mode, bool created) => throw new NotImplementedException();

    /// <summary>
    /// Takes back one <see cref="Open"/>. <paramref name="times"/>: what the client's close carries, applied by 05 section 8.2
    /// (only forward; Size/Blocks grow the lazy size); null for eviction. The last close of an unlinked object destroys
    /// it. Never throws for a missing object; carries a transno.
    /// </summary>
    public MdtResult Close(LuFid fid, OpenMode mode, in SetAttrArgs? times) => throw new NotImplementedException();

    /// <summary>Number of opens counted, of which for writing and for execution.</summary>
    public (int Opens, int Writers, int Executors) OpenCounts(LuFid fid) => throw new NotImplementedException();

    // ---- objects on OSTs ----

    /// <summary>Next object id (from 1) of an OST together with its sequence; never given twice, not even after a power cut.
    /// Durable like any change of the open transaction.</summary>
    public LuFid AllocateObject(int ostIndex) => throw new NotImplementedException();

    /// <summary>Next metadata sequence for a client (SEQ_QUERY ALLOC_META); never given twice.</summary>
    public ulong AllocateSequence() => throw new NotImplementedException();

    /// <summary>Queues all objects of a layout that no file uses any more; durable with the open transaction.</summary>
    public ulong QueueDestroy(LuFid fid, ReadOnlySpan<byte> layout) => throw new NotImplementedException();

    /// <summary>Up to <paramref name="max"/> queued destroys that are committed, oldest first, with Id above
    /// <paramref name="after"/>.</summary>
    public IReadOnlyList<PendingDestroy> PendingDestroys(long after, int max) => throw new NotImplementedException();

    /// <summary>The OSTs confirmed that all objects of the entry are gone.</summary>
    public void ConfirmDestroy(long id) => throw new NotImplementedException();
}

/// <summary>Limits of <see cref="MdtFileSystem"/>.</summary>
public sealed record MdtFileSystemOptions
{
    /// <summary>Most hard links of one inode; beyond: EMLINK. 65000 as on ldiskfs.</summary>
    public uint MaxLinks { get; init; } = 65_000;
    /// <summary>Longest xattr value in bytes; beyond: E2BIG (XATTR_SIZE_MAX of Linux).</summary>
    public int MaxXattrValue { get; init; } = 65_536;
    /// <summary>Most bytes of xattr values and names on one inode; beyond: ENOSPC.</summary>
    public int MaxXattrTotal { get; init; } = 1 << 20;
    /// <summary>Longest symlink target in bytes.</summary>
    public int MaxSymlink { get; init; } = 4095;
    /// <summary>Largest layout EA in bytes.</summary>
    public int MaxLayout { get; init; } = 65_536;
}
