using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

/// <summary>What one client holds of a target's grant. Guarded by its <see cref="GrantLedger"/>; bytes.</summary>
internal sealed class ClientGrant
{
    /// <summary>Promised to the client and not consumed yet.</summary>
    public long Granted { get; internal set; }

    /// <summary>As the client last said, at most what it may hold.</summary>
    public long Dirty { get; internal set; }

    internal bool Released { get; set; }
}

/// <summary>Space a write under way has taken; given back by <see cref="GrantLedger.EndWrite"/>.</summary>
/// <param name="Consumed">Grant of the client.</param>
/// <param name="Taken">Taken from what was free.</param>
internal readonly record struct GrantUse(long Consumed, long Taken)
{
    public long Bytes => Consumed + Taken;
}

/// <summary>What a write asks for, in bytes; see <see cref="GrantLedger.Add"/>.</summary>
internal record struct WriteDemand
{
    /// <summary>Grant the client says it has used up for this write.</summary>
    public long Announced;

    /// <summary>Whole blocks of the niobufs it marked as covered by that.</summary>
    public long Covered;

    /// <summary>Cost of the others.</summary>
    public long Uncovered;
}

/// <summary>
/// Grant of one target (06 section 5): space promised to clients, so that their write-back data never meets ENOSPC.
/// <para>
/// Invariants, which the ledger keeps whatever clients say: <c>_promised</c> is the sum of all clients' grant and of all
/// writes under way; nothing is promised that is not free at that moment, neither of the configured capacity nor of the
/// backing file system, whose other stores' promises count too.
/// </para>
/// </summary>
internal sealed class GrantLedger
{
    /// <summary>log2 of the grant block, ocd_grant_blkbits.</summary>
    public const int BlockBits = 12;

    /// <summary>ocd_grant_max_blks: an extent of a client has at most 64 MiB.</summary>
    public const uint MaxExtentBlocks = 16384;

    /// <summary>ocd_grant_inobits: what an object costs, its inode.</summary>
    public const int ObjectBits = 12;

    private const long BlockBytes = 1L << BlockBits;

    /// <summary>Clients count in 32 bits and cap their own wish here.</summary>
    private const long MaxPerClient = 0x6fff_ffff;

    private readonly Lock _gate = new();
    private readonly IObjectStore _store;
    private long _promised;
    private long _pending;
    private long _dirty;

    public GrantLedger(IObjectStore store, int brwSize, int taxBytes)
    {
        _store = store;
        TaxBytes = taxBytes;
        long extents = (brwSize + MaxExtentBlocks * BlockBytes - 1) / (MaxExtentBlocks * BlockBytes);
        Unit = 2 * (brwSize + taxBytes * extents);
    }

    /// <summary>Most that is given at a time: two RPCs' worth.</summary>
    public long Unit { get; }

    public int TaxBytes { get; }

    /// <summary>Grant of all clients and writes under way.</summary>
    public long Promised { get { lock (_gate) return _promised; } }

    /// <summary>Data that is on its way, or waits in caches: not available to anybody else.</summary>
    public long DirtyOrPending { get { lock (_gate) return _dirty + _pending; } }

    /// <summary>
    /// A client connects (06 section 5.3); returns all it owns now. One that comes back may hold dirty data already, so it
    /// gets what it claims as far as there is space.
    /// </summary>
    public uint Connect(ClientGrant client, uint wanted, bool isNew)
    {
        lock (_gate)
        {
            long left = Left();
            long give = isNew
                ? Math.Min(wanted, Math.Min(left / 8, Unit))
                : Math.Min(wanted - client.Granted, left);
            Give(client, Math.Min(RoundUp(Math.Max(0, give)), left));
            SetDirty(client, 0);
            return (uint)client.Granted;
        }
    }

    /// <summary>Takes in what a bulk request says about the client's cache: o_dropped and o_dirty (06 section 5.4 step 1).</summary>
    public void Announce(ClientGrant client, in Obdo request)
    {
        lock (_gate)
        {
            if (client.Released) return;
            Take(client, Math.Min(request.Dropped, client.Granted));
            SetDirty(client, (long)Math.Min(request.Dirty, (ulong)(client.Granted + 4 * Unit)));
        }
    }

    /// <summary>A shrink is always accepted: the client has deducted it already (06 section 5.5).</summary>
    public void Shrink(ClientGrant client, ulong amount)
    {
        lock (_gate) Take(client, (long)Math.Min(amount, (ulong)client.Granted));
    }

    /// <summary>
    /// Finds the space for a write (06 section 5.4 steps 3 to 5): grant for what the client marked as covered, free space for
    /// the rest. False when free space is short; nothing is taken then.
    /// <para>
    /// The mark alone is worth nothing: what is covered costs grant for its blocks at least, however little the client
    /// announces, and what its grant does not hold is taken from what is free. Step 2, which lets a resent write pass
    /// unpaid, is not followed: its sender decides what is resent. The caller leaves out what is on disk already instead.
    /// </para>
    /// </summary>
    public bool TryBeginWrite(ClientGrant client, in WriteDemand demand, out GrantUse use)
    {
        lock (_gate)
        {
            long left = Left();
            use = Pay(client, Math.Max(demand.Announced, demand.Covered), demand.Uncovered);
            // The tax in what it announces may be more than it has left; its blocks are what counts then.
            if (use.Taken > left) use = Pay(client, demand.Covered, demand.Uncovered);
            if (use.Taken > left)
            {
                use = default;
                return false;
            }
            Take(client, use.Consumed);
            _pending += use.Bytes;
            Promise(use.Bytes);
            return true;
        }
    }

    private static GrantUse Pay(ClientGrant client, long covered, long uncovered)
    {
        long consumed = client.Released ? 0 : Math.Min(covered, client.Granted);
        return new GrantUse(consumed, covered - consumed + uncovered);
    }

    /// <summary>Adds a niobuf to what a write asks for.</summary>
    /// <param name="granted">The client speaks of grant, so that its mark FROM_GRANT means something.</param>
    public void Add(ref WriteDemand demand, in NiobufRemote niobuf, bool granted)
    {
        if (granted && (niobuf.Flags & NiobufFlags.FromGrant) != 0) demand.Covered += WholeBlocks(niobuf);
        else demand.Uncovered += Cost(niobuf);
    }

    /// <summary>Reserves free space for something else than a write; false when there is not enough.</summary>
    public bool TryReserve(long bytes, out GrantUse use)
    {
        lock (_gate)
        {
            use = default;
            if (bytes > Left()) return false;
            use = new GrantUse(0, bytes);
            _pending += bytes;
            Promise(bytes);
            return true;
        }
    }

    /// <summary>The data is in the store, whose own account has it now, or never will be.</summary>
    public void EndWrite(GrantUse use)
    {
        lock (_gate)
        {
            _pending -= use.Bytes;
            Promise(-use.Bytes);
        }
    }

    /// <summary>The write was not applied and not answered: the client will send it again, with the grant it used for this one.</summary>
    public void GiveBack(ClientGrant client, GrantUse use)
    {
        lock (_gate)
        {
            _pending -= use.Bytes;
            Promise(-use.Bytes);
            if (!client.Released) Give(client, use.Consumed);
        }
    }

    /// <summary>
    /// More grant for a client (06 section 5.4 step 6), the increment that goes into the reply.
    /// </summary>
    /// <param name="current">What the client says it holds.</param>
    /// <param name="wanted">What it would like to hold.</param>
    public uint GiveMore(ClientGrant client, ulong current, long wanted)
    {
        lock (_gate)
        {
            wanted = Math.Min(wanted, MaxPerClient);
            // More than we know of by a unit: it has not seen what it owns already.
            if (client.Released || current >= (ulong)wanted || current >= (ulong)(client.Granted + Unit)) return 0;
            long left = Left();
            long give = Math.Min(RoundUp(Math.Min(wanted - (long)current, left / 8)), Unit);
            give = Math.Min(give, wanted + Unit - client.Granted);
            give = Math.Max(0, Math.Min(give, left)) & -BlockBytes;
            Give(client, give);
            return (uint)give;
        }
    }

    /// <summary>The client is gone.</summary>
    public void Release(ClientGrant client)
    {
        lock (_gate)
        {
            Take(client, client.Granted);
            SetDirty(client, 0);
            client.Released = true;
        }
    }

    /// <summary>What a range costs at most: whole blocks, and the tax of an extent.</summary>
    public long Cost(in NiobufRemote niobuf) => WholeBlocks(niobuf) + TaxBytes;

    private static long WholeBlocks(in NiobufRemote niobuf)
    {
        ulong first = niobuf.Offset & ~(ulong)(BlockBytes - 1);
        return RoundUp((long)(niobuf.Offset - first) + niobuf.Length);
    }

    /// <summary>Free and promised to nobody.</summary>
    private long Left()
    {
        var space = _store.Space();
        long ofCapacity = space.Capacity - space.Used - _promised;
        long ofBacking = _store.Backing.Free - _store.Backing.Promised;
        return Math.Max(0, Math.Min(ofCapacity, ofBacking)) & -BlockBytes;
    }

    private void Give(ClientGrant client, long bytes)
    {
        bytes = Math.Max(0, Math.Min(bytes, uint.MaxValue - client.Granted));
        client.Granted += bytes;
        Promise(bytes);
    }

    private void Take(ClientGrant client, long bytes)
    {
        client.Granted -= bytes;
        Promise(-bytes);
    }

    private void Promise(long bytes)
    {
        _promised += bytes;
        _store.Backing.Promise(bytes);
    }

    private void SetDirty(ClientGrant client, long bytes)
    {
        _dirty += bytes - client.Dirty;
        client.Dirty = bytes;
    }

    private static long RoundUp(long bytes) => (bytes + BlockBytes - 1) & -BlockBytes;
}
