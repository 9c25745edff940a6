namespace Nacre.PtlRpc;

/// <summary>What is remembered of an executed modification, to answer a resend of it (02 section 12.4).</summary>
public readonly record struct ReplyRecord
{
    public required ulong Xid { get; init; }

    /// <summary>Slot of the client plus 1, or 0 (02 section 12.5).</summary>
    public ushort Tag { get; init; }

    public ulong Transno { get; init; }

    public int Status { get; init; }

    /// <summary>Operation's own data, such as the intent disposition.</summary>
    public ulong Data { get; init; }

    public ulong Data2 { get; init; }

    public object? Extra { get; init; }

    /// <summary>The whole packed reply; empty when the reply has to be reconstructed by the handler.</summary>
    public ReadOnlyMemory<byte> Reply { get; init; }
}

/// <summary>Where an export keeps its reply records. A durable twin stores them in the transaction of the modification itself.</summary>
public interface IReplyRecords
{
    int Count { get; }

    /// <summary>Highest transno ever recorded: the client's place in a recovery.</summary>
    ulong HighestTransno { get; }

    /// <summary>True with a copy of the record of this xid.</summary>
    bool TryFind(ulong xid, out ReplyRecord record);

    /// <summary>Adds a record, or replaces that of the same xid. The reply bytes are copied.</summary>
    void Add(in ReplyRecord record);

    /// <summary>Forgets records the client has seen the reply of (02 section 3.7).</summary>
    void ReleaseUpTo(ulong lastXid);

    /// <summary>Forgets the record of a slot that the client uses for another request.</summary>
    void ReleaseTag(ushort tag, ulong exceptXid);
}

/// <summary>
/// Reply records in memory: they answer resends after a reconnect, not after a restart. Bounded: beyond
/// <see cref="MaxRecords"/> the oldest is forgotten, which no client with a sane number of slots notices. Safe for any thread.
/// </summary>
public sealed class ReplyRecords : IReplyRecords
{
    public const int MaxRecords = 128;

    private readonly Lock _gate = new();
    private readonly List<Slot> _slots = [];
    private readonly Stack<Slot> _spare = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count;
            }
        }
    }

    public ulong HighestTransno { get; private set; }

    public bool TryFind(ulong xid, out ReplyRecord record)
    {
        lock (_gate)
        {
            var index = IndexOf(xid);
            if (index < 0)
            {
                record = default;
                return false;
            }

            var slot = _slots[index];
            record = slot.Record with { Reply = slot.Reply.AsSpan(0, slot.ReplyLength).ToArray() };
            return true;
        }
    }

    public void Add(in ReplyRecord record)
    {
        lock (_gate)
        {
            var index = IndexOf(record.Xid);
            if (index >= 0)
            {
                Remove(index);
            }
            else if (_slots.Count == MaxRecords)
            {
                Remove(0);
            }

            var slot = _spare.TryPop(out var spare) ? spare : new Slot();
            slot.Set(record);
            _slots.Add(slot);
            HighestTransno = Math.Max(HighestTransno, record.Transno);
        }
    }

    public void ReleaseUpTo(ulong lastXid)
    {
        if (lastXid == 0)
        {
            return;
        }

        lock (_gate)
        {
            for (var i = _slots.Count - 1; i >= 0; i--)
            {
                if (_slots[i].Record.Xid <= lastXid)
                {
                    Remove(i);
                }
            }
        }
    }

    public void ReleaseTag(ushort tag, ulong exceptXid)
    {
        lock (_gate)
        {
            for (var i = _slots.Count - 1; i >= 0; i--)
            {
                if (_slots[i].Record.Tag == tag && _slots[i].Record.Xid != exceptXid)
                {
                    Remove(i);
                }
            }
        }
    }

    /// <summary>True when there is a record of this xid; <paramref name="complete"/> when it holds the whole reply.</summary>
    internal bool Contains(ulong xid, out bool complete)
    {
        lock (_gate)
        {
            var index = IndexOf(xid);
            complete = index >= 0 && _slots[index].ReplyLength > 0;
            return index >= 0;
        }
    }

    private int IndexOf(ulong xid)
    {
        for (var i = _slots.Count - 1; i >= 0; i--)
        {
            if (_slots[i].Record.Xid == xid)
            {
                return i;
            }
        }

        return -1;
    }

    private void Remove(int index)
    {
        var slot = _slots[index];
        _slots.RemoveAt(index);
        slot.Record = default;
        _spare.Push(slot);
    }

    /// <summary>Keeps its byte array from one record to the next, so that steady work allocates nothing.</summary>
    private sealed class Slot
    {
        public ReplyRecord Record;
        public byte[] Reply = [];
        public int ReplyLength;

        public void Set(in ReplyRecord record)
        {
            if (Reply.Length < record.Reply.Length)
            {
                Reply = new byte[record.Reply.Length];
            }

            record.Reply.CopyTo(Reply);
            ReplyLength = record.Reply.Length;
            Record = record with { Reply = default };
        }
    }
}
