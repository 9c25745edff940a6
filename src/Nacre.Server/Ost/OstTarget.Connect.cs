using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

// Connections: what a client is granted, and what it leaves behind (02 section 11.3, 06 sections 3 and 5.3).
public sealed partial class OstTarget
{
    private const ConnectFlags Supported = ConnectFlags.Rdonly | ConnectFlags.Grant | ConnectFlags.Srvlock | ConnectFlags.Version
        | ConnectFlags.Reqportal | ConnectFlags.BrwSize | ConnectFlags.Cancelset | ConnectFlags.At | ConnectFlags.Cksum
        | ConnectFlags.Fid | ConnectFlags.Vbr | ConnectFlags.GrantShrink | ConnectFlags.Full20 | ConnectFlags.Layoutlock
        | ConnectFlags.Hash64Bit | ConnectFlags.Maxbytes | ConnectFlags.Jobstats | ConnectFlags.Einprogress
        | ConnectFlags.GrantParam | ConnectFlags.LvbType | ConnectFlags.Lightweight | ConnectFlags.Shortio
        | ConnectFlags.BulkMbits | ConnectFlags.Flags2;

    private const ConnectFlags2 Supported2 = ConnectFlags2.Lockahead | ConnectFlags2.IncXid | ConnectFlags2.Lseek
        | ConnectFlags2.RepMbits;

    public void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
        reply.Flags = wanted.Flags & Supported;
        reply.Flags2 = wanted.Flags2 & Supported2;
        NegotiateSizes(wanted, ref reply);
        NegotiateChecksums(wanted, ref reply);
        // Last: grant is taken only when nothing can refuse the connect any more.
        NegotiateGrant(export, wanted, ref reply);
    }

    public void OnConnected(Export export)
    {
    }

    public void OnReconnected(Export export)
    {
    }

    public void OnClosed(Export export, ExportCloseReason reason)
    {
        _locks.DropExport(export);
        if (export.ServiceState is OstExport state) _grants.Release(state.Grant);
    }

    /// <summary>The RPC size is the one of the next power of two below the wish: a client derives its limits from it.</summary>
    private void NegotiateSizes(in ObdConnectData wanted, ref ObdConnectData reply)
    {
        if (reply.Has(ConnectFlags.BrwSize))
        {
            // Below 1 MiB a client could not build any bulk RPC; what it asks below that makes no sense.
            uint size = Math.Clamp(wanted.BrwSize, 1u << 20, (uint)_options.BrwSize);
            reply.BrwSize = 1u << (31 - System.Numerics.BitOperations.LeadingZeroCount(size));
        }
        if (reply.Has(ConnectFlags.Maxbytes)) reply.MaxBytes = (ulong)_store.MaxObjectBytes;
    }

    private void NegotiateChecksums(in ObdConnectData wanted, ref ObdConnectData reply)
    {
        if (!reply.Has(ConnectFlags.Cksum)) return;
        reply.ChecksumTypes = wanted.ChecksumTypes & (uint)_options.ChecksumTypes;
        // Nothing in common: without the flag the client falls back to Adler (06 section 3.3).
        if (reply.ChecksumTypes == 0) reply.Flags &= ~ConnectFlags.Cksum;
    }

    private void NegotiateGrant(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
        // Without GRANT_PARAM a client accounts by another rule: it gets no grant and writes synchronously (06 section 3.2).
        if (reply.Has(ConnectFlags.Rdonly) || !reply.Has(ConnectFlags.GrantParam))
            reply.Flags &= ~(ConnectFlags.Grant | ConnectFlags.GrantParam | ConnectFlags.GrantShrink);

        bool isNew = export.ServiceState is not OstExport;
        int pageSize = OstExport.PageSizeOf(wanted);
        if (isNew) export.ServiceState = new OstExport(pageSize);
        var state = StateOf(export);
        state.PageSize = pageSize;

        reply.Grant = 0;
        if (!reply.Has(ConnectFlags.Grant)) return;
        reply.Grant = _grants.Connect(state.Grant, wanted.Grant, isNew);
        reply.GrantBlkBits = GrantLedger.BlockBits;
        reply.GrantInoBits = GrantLedger.ObjectBits;
        reply.GrantTaxKb = (ushort)_options.GrantTaxKiB;
        reply.GrantMaxBlks = GrantLedger.MaxExtentBlocks;
    }
}
