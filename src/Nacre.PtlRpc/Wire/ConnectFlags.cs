namespace Nacre.PtlRpc.Wire;

/// <summary>First flag word of <see cref="ObdConnectData"/>: <c>OBD_CONNECT_*</c> (02 section 10.2).</summary>
[Flags]
public enum ConnectFlags : ulong
{
    None = 0,
    /// <summary><c>RDONLY</c>: client is read-only; server refuses modifications. Server may set it only if asked.</summary>
    Rdonly = 0x1,
    /// <summary><c>INDEX</c>: ocd_index valid (server-to-server).</summary>
    Index = 0x2,
    /// <summary><c>MDS</c>: connection comes from an MDT (OSP).</summary>
    Mds = 0x4,
    /// <summary><c>GRANT</c>: write grants; off: every OST write is synchronous (no write-back).</summary>
    Grant = 0x8,
    /// <summary><c>SRVLOCK</c>: server takes extent locks for lockless I/O; off: none.</summary>
    Srvlock = 0x10,
    /// <summary><c>VERSION</c>: ocd_version valid.</summary>
    Version = 0x20,
    /// <summary><c>REQPORTAL</c>: requests on OST_REQUEST_PORTAL; historical.</summary>
    Reqportal = 0x40,
    /// <summary><c>ACL</c>: POSIX ACLs; off: ACL mounts disabled.</summary>
    Acl = 0x80,
    /// <summary><c>XATTR</c>: user xattrs; off: disabled.</summary>
    Xattr = 0x100,
    /// <summary><c>LARGE_ACL</c>: more than 32 ACL entries.</summary>
    LargeAcl = 0x200,
    /// <summary><c>OLD_FALLOC</c>: peer's fallocate lacks some o_valid bits (formerly TRUNCLOCK).</summary>
    OldFalloc = 0x400,
    /// <summary><c>TRANSNO</c>: historical.</summary>
    Transno = 0x800,
    /// <summary><c>IBITS</c>: MDS lock bits; server fills ocd_ibits_known.</summary>
    Ibits = 0x1000,
    /// <summary><c>BARRIER</c>: write barriers (MGS).</summary>
    Barrier = 0x2000,
    /// <summary><c>ATTRFID</c>: getattr by FID; mount needs it.</summary>
    Attrfid = 0x4000,
    /// <summary><c>NODEVOH</c>: no open handle for device nodes.</summary>
    Nodevoh = 0x8000,
    /// <summary><c>RMT_CLIENT</c>: obsolete.</summary>
    RmtClient = 0x10000,
    /// <summary><c>RMT_CLIENT_FORCE</c>: obsolete.</summary>
    RmtClientForce = 0x20000,
    /// <summary><c>BRW_SIZE</c>: server fills ocd_brw_size; off on MDT/MGS: 1 page per RPC.</summary>
    BrwSize = 0x40000,
    /// <summary><c>QUOTA64</c>: obsolete.</summary>
    Quota64 = 0x80000,
    /// <summary><c>MDS_CAPA</c>: obsolete, never granted.</summary>
    MdsCapa = 0x100000,
    /// <summary><c>OSS_CAPA</c>: obsolete, never granted.</summary>
    OssCapa = 0x200000,
    /// <summary><c>CANCELSET</c>: batched/early lock cancel in other RPCs; off: one cancel RPC per lock.</summary>
    Cancelset = 0x400000,
    /// <summary><c>SOM</c>: obsolete.</summary>
    Som = 0x800000,
    /// <summary><c>AT</c>: adaptive timeouts, offset 224 rule.</summary>
    At = 0x1000000,
    /// <summary><c>LRU_RESIZE</c>: dynamic lock LRU by SLV; off: static LRU.</summary>
    LruResize = 0x2000000,
    /// <summary><c>MDS_MDS</c>: MDT-to-MDT connection.</summary>
    MdsMds = 0x4000000,
    /// <summary><c>REAL</c>: obsolete.</summary>
    Real = 0x8000000,
    /// <summary><c>CHANGE_QS</c>: obsolete.</summary>
    ChangeQs = 0x10000000,
    /// <summary><c>CKSUM</c>: server fills ocd_cksum_types (a non-empty subset of the request); off: Adler only.</summary>
    Cksum = 0x20000000,
    /// <summary><c>FID</c>: FIDs; mount needs it.</summary>
    Fid = 0x40000000,
    /// <summary><c>VBR</c>: version-based recovery.</summary>
    Vbr = 0x80000000,
    /// <summary><c>LOV_V3</c>: layouts with pool name.</summary>
    LovV3 = 0x100000000,
    /// <summary><c>GRANT_SHRINK</c>: idle clients give grant back.</summary>
    GrantShrink = 0x200000000,
    /// <summary><c>SKIP_ORPHAN</c>: MDT does not reuse orphan object ids.</summary>
    SkipOrphan = 0x400000000,
    /// <summary><c>MAX_EASIZE</c>: server fills ocd_max_easize; off: client xattr cache off, small EAs.</summary>
    MaxEasize = 0x800000000,
    /// <summary><c>FULL20</c>: 2.x protocol; mandatory.</summary>
    Full20 = 0x1000000000,
    /// <summary><c>LAYOUTLOCK</c>: layout lock bit.</summary>
    Layoutlock = 0x2000000000,
    /// <summary><c>64BITHASH</c>: 64-bit readdir hashes; off: 32-bit.</summary>
    Hash64Bit = 0x4000000000,
    /// <summary><c>MAXBYTES</c>: server fills ocd_maxbytes.</summary>
    Maxbytes = 0x8000000000,
    /// <summary><c>IMP_RECOV</c>: imperative recovery (MGS).</summary>
    ImpRecov = 0x10000000000,
    /// <summary><c>JOBSTATS</c>: pb_jobid.</summary>
    Jobstats = 0x20000000000,
    /// <summary><c>UMASK</c>: client sends umask on create; off: client applies it.</summary>
    Umask = 0x40000000000,
    /// <summary><c>EINPROGRESS</c>: client handles -EINPROGRESS (6.8).</summary>
    Einprogress = 0x80000000000,
    /// <summary><c>GRANT_PARAM</c>: extended grant; server fills ocd_grant_*.</summary>
    GrantParam = 0x100000000000,
    /// <summary><c>FLOCK_OWNER</c>: flock owner field.</summary>
    FlockOwner = 0x200000000000,
    /// <summary><c>LVB_TYPE</c>: typed LVBs; off: short OST LVB, no layout via lock.</summary>
    LvbType = 0x400000000000,
    /// <summary><c>NANOSEC_TIME</c>: reserved.</summary>
    NanosecTime = 0x800000000000,
    /// <summary><c>LIGHTWEIGHT</c>: connection without recovery (LWP).</summary>
    Lightweight = 0x1000000000000,
    /// <summary><c>SHORTIO</c>: inline I/O (7.6); off: always bulk.</summary>
    Shortio = 0x2000000000000,
    /// <summary><c>PINGLESS</c>: server may suppress pings.</summary>
    Pingless = 0x4000000000000,
    /// <summary><c>FLOCK_DEAD</c>: server detects flock deadlocks.</summary>
    FlockDead = 0x8000000000000,
    /// <summary><c>DISP_STRIPE</c>: disposition "create stripe".</summary>
    DispStripe = 0x10000000000000,
    /// <summary><c>OPEN_BY_FID</c>: open without name; off: name always sent.</summary>
    OpenByFid = 0x20000000000000,
    /// <summary><c>LFSCK</c>: online check RPCs.</summary>
    Lfsck = 0x40000000000000,
    /// <summary><c>UNLINK_CLOSE</c>: close during unlink.</summary>
    UnlinkClose = 0x100000000000000,
    /// <summary><c>MULTIMODRPCS</c>: server fills ocd_maxmodrpcs; off: one modifying RPC at a time.</summary>
    Multimodrpcs = 0x200000000000000,
    /// <summary><c>DIR_STRIPE</c>: striped directories.</summary>
    DirStripe = 0x400000000000000,
    /// <summary><c>SUBTREE</c>: mount of a fileset.</summary>
    Subtree = 0x800000000000000,
    /// <summary><c>LOCKAHEAD_OLD</c>: old lock-ahead.</summary>
    LockaheadOld = 0x1000000000000000,
    /// <summary><c>BULK_MBITS</c>: pb_mbits for bulk instead of xid.</summary>
    BulkMbits = 0x2000000000000000,
    /// <summary><c>OBDOPACK</c>: compact obdo.</summary>
    Obdopack = 0x4000000000000000,
    /// <summary><c>FLAGS2</c>: ocd_connect_flags2 valid.</summary>
    Flags2 = 0x8000000000000000,
}

/// <summary>Second flag word, valid with <see cref="ConnectFlags.Flags2"/>: <c>OBD_CONNECT2_*</c> (02 section 10.3).</summary>
[Flags]
public enum ConnectFlags2 : ulong
{
    None = 0,
    /// <summary><c>FILE_SECCTX</c>: security context set at create.</summary>
    FileSecctx = 0x1,
    /// <summary><c>LOCKAHEAD</c>: lock-ahead requests.</summary>
    Lockahead = 0x2,
    /// <summary><c>DIR_MIGRATE</c>: striped directory migration.</summary>
    DirMigrate = 0x4,
    /// <summary><c>SUM_STATFS</c>: MDT answers statfs for the whole file system.</summary>
    SumStatfs = 0x8,
    /// <summary><c>OVERSTRIPING</c>: several stripes per OST.</summary>
    Overstriping = 0x10,
    /// <summary><c>FLR</c>: mirrored files.</summary>
    Flr = 0x20,
    /// <summary><c>WBC_INTENTS</c>: write-back metadata caching (unused).</summary>
    WbcIntents = 0x40,
    /// <summary><c>LOCK_CONVERT</c>: IBITS lock downgrade (LDLM_CONVERT).</summary>
    LockConvert = 0x80,
    /// <summary><c>ARCHIVE_ID_ARRAY</c>: HSM archive id list.</summary>
    ArchiveIdArray = 0x100,
    /// <summary><c>INC_XID</c>: client's xids per slot only increase (12.5).</summary>
    IncXid = 0x200,
    /// <summary><c>SELINUX_POLICY</c>: policy string checked.</summary>
    SelinuxPolicy = 0x400,
    /// <summary><c>LSOM</c>: lazy size on MDT.</summary>
    Lsom = 0x800,
    /// <summary><c>PCC</c>: persistent client cache.</summary>
    Pcc = 0x1000,
    /// <summary><c>CRUSH</c>: crush directory hash.</summary>
    Crush = 0x2000,
    /// <summary><c>ASYNC_DISCARD</c>: DoM discard without wait.</summary>
    AsyncDiscard = 0x4000,
    /// <summary><c>ENCRYPT</c>: client-side encryption.</summary>
    Encrypt = 0x8000,
    /// <summary><c>FIDMAP</c>: reserved.</summary>
    Fidmap = 0x10000,
    /// <summary><c>GETATTR_PFID</c>: parent FID by getattr.</summary>
    GetattrPfid = 0x20000,
    /// <summary><c>LSEEK</c>: OST_SEEK.</summary>
    Lseek = 0x40000,
    /// <summary><c>DOM_LVB</c>: LVB for DoM locks.</summary>
    DomLvb = 0x80000,
    /// <summary><c>REP_MBITS</c>: reply match bits = pb_mbits (6.3).</summary>
    RepMbits = 0x100000,
    /// <summary><c>MODE_CONVERT</c>: lock mode conversion.</summary>
    ModeConvert = 0x200000,
    /// <summary><c>BATCH_RPC</c>: batched metadata.</summary>
    BatchRpc = 0x400000,
    /// <summary><c>PCCRO</c>: PCC read-only.</summary>
    Pccro = 0x800000,
    /// <summary><c>MNE_TYPE</c>: 2.17.</summary>
    MneType = 0x1000000,
    /// <summary><c>LOCK_CONTENTION</c>: 2.17.</summary>
    LockContention = 0x2000000,
    /// <summary><c>ATOMIC_OPEN_LOCK</c>: open by FID with lock.</summary>
    AtomicOpenLock = 0x4000000,
    /// <summary><c>ENCRYPT_NAME</c>: encrypted names.</summary>
    EncryptName = 0x8000000,
    /// <summary><c>DMV_IMP_INHERIT</c>: 2.17.</summary>
    DmvImpInherit = 0x20000000,
    /// <summary><c>ENCRYPT_FID2PATH</c>: 2.17.</summary>
    EncryptFid2path = 0x40000000,
    /// <summary><c>REPLAY_CREATE</c>: 2.17.</summary>
    ReplayCreate = 0x80000000,
    /// <summary><c>LARGE_NID</c>: 2.17.</summary>
    LargeNid = 0x100000000,
    /// <summary><c>COMPRESS</c>: 2.17.</summary>
    Compress = 0x200000000,
    /// <summary><c>UNALIGNED_DIO</c>: 2.17.</summary>
    UnalignedDio = 0x400000000,
    /// <summary><c>CONN_POLICY</c>: 2.17.</summary>
    ConnPolicy = 0x800000000,
}
