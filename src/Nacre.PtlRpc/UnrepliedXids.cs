namespace Nacre.PtlRpc;

/// <summary>The requests of one connection that are not answered yet, for <c>pb_last_xid</c> (02 section 3.7). Safe for any thread.</summary>
internal sealed class UnrepliedXids
{
    private readonly Lock _gate = new();
    private readonly SortedSet<ulong> _xids = [];

    public void Add(ulong xid)
    {
        lock (_gate)
        {
            _xids.Add(xid);
        }
    }

    public void Remove(ulong xid)
    {
        lock (_gate)
        {
            _xids.Remove(xid);
        }
    }

    /// <summary>The lowest unanswered xid, or <paramref name="xid"/> when there is none.</summary>
    public ulong LowestOr(ulong xid)
    {
        lock (_gate)
        {
            return _xids.Count > 0 ? _xids.Min : xid;
        }
    }
}
