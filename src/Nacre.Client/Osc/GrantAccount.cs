using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>
/// The client's side of grant at one OST (06 section 5.1): space the server has promised, so that data written into the cache can be written back.
/// Bytes. Safe for any thread.
/// <para>
/// Available, dirty and what is in requests together are what the server believes this client to own. A (re)connect makes both equal: the server
/// names the total, and what is not dirty of it is available.
/// </para>
/// </summary>
internal sealed class GrantAccount(Import import, long wanted)
{
    /// <summary>Clients count in 32 bits and cap their wish here (06 section 5.1).</summary>
    private const long MaxWanted = 0x6fff_ffff;

    private readonly Lock _gate = new();
    private long _available;
    private long _dirty;
    private long _lost;
    private uint _connection;
    private int _chunk = 4096;
    private int _tax;

    /// <summary>Bytes of one unit of grant: a page, or the server's block where that is larger (06 section 3.2).</summary>
    public int Chunk => Volatile.Read(ref _chunk);

    /// <summary>Bytes charged for each extent besides its chunks.</summary>
    public int Tax => Volatile.Read(ref _tax);

    public long Available
    {
        get
        {
            lock (_gate)
            {
                return _available;
            }
        }
    }

    /// <summary>Takes grant for data about to become dirty.</summary>
    public bool TryTake(long bytes)
    {
        lock (_gate)
        {
            NoticeConnection();
            if (bytes > _available)
            {
                return false;
            }

            _available -= bytes;
            _dirty += bytes;
            return true;
        }
    }

    /// <summary>Gives back what <see cref="TryTake"/> took in excess.</summary>
    public void Return(long bytes)
    {
        lock (_gate)
        {
            _dirty -= bytes;
            _available += bytes;
        }
    }

    /// <summary>Dirty data was thrown away: the server hears of it with the next request (o_dropped).</summary>
    public void Drop(long bytes)
    {
        lock (_gate)
        {
            _dirty -= bytes;
            _lost += bytes;
        }
    }

    /// <summary>What every bulk request says of the account (06 section 5.1).</summary>
    /// <param name="used">Grant that a write consumes; it is gone whatever becomes of the request.</param>
    public void Announce(ref Obdo obdo, long used)
    {
        lock (_gate)
        {
            NoticeConnection();
            obdo.Dirty = (ulong)Math.Max(0, _dirty);
            obdo.Grant = (ulong)Math.Max(0, _available);
            obdo.Undirty = (uint)Math.Min(wanted + _tax, MaxWanted);
            obdo.Dropped = (uint)Math.Min(_lost, uint.MaxValue);
            obdo.GrantUsed = (ulong)used;
            _lost -= obdo.Dropped;
            _dirty -= used;
        }
    }

    /// <summary>A reply with FLGRANT adds to what is available.</summary>
    public void Receive(in Obdo reply)
    {
        if (reply.Has(ObdoValid.Grant))
        {
            lock (_gate)
            {
                _available += (long)Math.Min(reply.Grant, MaxWanted);
            }
        }
    }

    private void NoticeConnection()
    {
        if (import.ConnectionCount is var connection && connection == _connection || import.State != ImportState.Full)
        {
            return;
        }

        var data = import.ConnectData;
        _connection = connection;
        _available = data.Has(ConnectFlags.Grant) && data.Has(ConnectFlags.GrantParam) ? Math.Max(0, data.Grant - _dirty) : 0;
        _lost = 0;
        var bits = data.Has(ConnectFlags.GrantParam) ? Math.Clamp((int)data.GrantBlkBits, 12, 20) : 12;
        Volatile.Write(ref _chunk, 1 << bits);
        Volatile.Write(ref _tax, data.Has(ConnectFlags.GrantParam) ? data.GrantTaxKb << 10 : 0);
    }
}
