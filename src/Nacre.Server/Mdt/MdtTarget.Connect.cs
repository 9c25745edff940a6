using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt;

/// <summary>Connect negotiation (02 sections 10 and 11.2, 05 section 1.6) and the life of an export.</summary>
public sealed partial class MdtTarget
{
    /// <summary>Largest readdir bulk in bytes.</summary>
    private const uint MaxBulk = 1 << 20;
    private const uint SmallestBulk = LuDirpage.PageSize;
    private const ushort MaxModifyingRpcs = 8;

    /// <summary>Not granted, and why: GRANT.., SRVLOCK, SHORTIO, CKSUM (only for data on MDT), DIR_STRIPE (one MDT), LRU_RESIZE
    /// (no lock volumes are computed), PINGLESS, LFSCK.</summary>
    private const ConnectFlags Granted =
        ConnectFlags.Rdonly | ConnectFlags.Version | ConnectFlags.Acl | ConnectFlags.Xattr | ConnectFlags.LargeAcl
        | ConnectFlags.Ibits | ConnectFlags.Attrfid | ConnectFlags.Nodevoh | ConnectFlags.BrwSize | ConnectFlags.Cancelset
        | ConnectFlags.At | ConnectFlags.Fid | ConnectFlags.Vbr | ConnectFlags.LovV3 | ConnectFlags.MaxEasize
        | ConnectFlags.Full20 | ConnectFlags.Layoutlock | ConnectFlags.Hash64Bit | ConnectFlags.Jobstats | ConnectFlags.Umask
        | ConnectFlags.Einprogress | ConnectFlags.LvbType | ConnectFlags.FlockDead | ConnectFlags.DispStripe
        | ConnectFlags.OpenByFid | ConnectFlags.Multimodrpcs | ConnectFlags.Subtree | ConnectFlags.BulkMbits
        | ConnectFlags.Flags2;

    /// <summary>Not granted: OVERSTRIPING and FLR (layouts this server does not make), FILE_SECCTX, ENCRYPT.., LOCK_CONVERT
    /// (matters for data on MDT only).</summary>
    private const ConnectFlags2 Granted2 =
        ConnectFlags2.SumStatfs | ConnectFlags2.IncXid | ConnectFlags2.Lsom | ConnectFlags2.GetattrPfid
        | ConnectFlags2.RepMbits | ConnectFlags2.ArchiveIdArray;

    /// <summary>The lock bits this server hands out: all but DOM.</summary>
    private const InodeBits KnownBits = InodeBits.All & ~InodeBits.Dom;

    public void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
        // Without 64-bit directory positions the cookies of this store do not fit (05 section 4.4); every client since
        // 2.0 has them.
        const ConnectFlags required = ConnectFlags.Full20 | ConnectFlags.Fid | ConnectFlags.Attrfid | ConnectFlags.Hash64Bit;
        if (!wanted.Has(required))
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        reply = default;
        reply.Flags = wanted.Flags & Granted;
        reply.Flags2 = reply.Has(ConnectFlags.Flags2) ? wanted.Flags2 & Granted2 : ConnectFlags2.None;
        reply.Version = ObdConnectData.Version2158;
        reply.Instance = _options.Instance;
        if (reply.Has(ConnectFlags.Ibits))
            reply.IbitsKnown = (ulong)KnownBits;
        if (reply.Has(ConnectFlags.BrwSize))
            reply.BrwSize = Math.Clamp(wanted.BrwSize, SmallestBulk, MaxBulk);
        if (reply.Has(ConnectFlags.MaxEasize))
            reply.MaxEaSize = MaxEaSize;
        if (reply.Has(ConnectFlags.Multimodrpcs))
            reply.MaxModRpcs = MaxModifyingRpcs;
    }

    public void OnConnected(Export export) => export.ServiceState = new MdtExportState();

    public void OnReconnected(Export export)
    {
    }

    /// <summary>Disconnect or eviction: gives back what the client held. Files it had open are closed without its times
    /// (05 section 7.1), so an unlinked one that nobody else has open goes away here.</summary>
    public void OnClosed(Export export, ExportCloseReason reason)
    {
        _locks.DropExport(export);
        CloseAllFiles(export);
        _hsm.Unregister(export);
    }

    /// <summary>Refuses a modification over a read-only connection.</summary>
    private static void RequireWritable(Export export)
    {
        if (export.Has(ConnectFlags.Rdonly) || StateOf(export).ReadOnly)
            throw new FsException(Errno.EROFS);
    }

    private static MdtExportState StateOf(Export export) =>
        export.ServiceState as MdtExportState ?? throw new RpcException(Errno.ENOTCONN, rpcLevel: true);
}
