using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

/// <summary>What a target keeps for one client.</summary>
internal sealed class OstExport(int pageSize)
{
    private const int DefaultPageBits = 12;
    private const int MaxPageBits = 20;

    public ClientGrant Grant { get; } = new();

    public TimeOrder Times { get; } = new();

    /// <summary>
    /// Bytes of the client's pages, at which bulk is cut into fragments: from ocd_grant_blkbits, which a 2.15 client always
    /// fills (06 section 4.4); 4 KiB when it makes no sense.
    /// </summary>
    public int PageSize { get; set; } = pageSize;

    public static int PageSizeOf(in ObdConnectData wanted) =>
        1 << (wanted.GrantBlkBits is >= DefaultPageBits and <= MaxPageBits ? wanted.GrantBlkBits : DefaultPageBits);
}

/// <summary>
/// Order of time stamps (06 section 7.4): a write built before a SETATTR, PUNCH or FALLOCATE of the same client but coming
/// after it must not set times. Bounded: at most <see cref="Capacity"/> objects, the oldest is forgotten.
/// </summary>
internal sealed class TimeOrder
{
    public const int Capacity = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<LuFid, ulong> _newest = [];
    private readonly Queue<LuFid> _order = new();

    /// <summary>The request <paramref name="xid"/> set times of the object.</summary>
    public void Record(in LuFid fid, ulong xid)
    {
        lock (_gate)
        {
            if (_newest.TryGetValue(fid, out ulong known))
            {
                _newest[fid] = Math.Max(known, xid);
                return;
            }
            if (_order.Count == Capacity) _newest.Remove(_order.Dequeue());
            _order.Enqueue(fid);
            _newest[fid] = xid;
        }
    }

    /// <summary>Whether a write of this xid may set times.</summary>
    public bool Allows(in LuFid fid, ulong xid)
    {
        lock (_gate) return !_newest.TryGetValue(fid, out ulong newest) || xid > newest;
    }
}
