namespace Nacre.Server.Ost;

/// <summary>
/// Numbers of an object target's changes, and how far all of them are finished. A change takes its number before it touches the
/// object, since the number is part of what is stored, and several run at a time; so the last number given says nothing about
/// what is done. <see cref="Committed"/> is the highest number such that it and every one below is finished (02 section 12.1).
/// </summary>
/// <remarks>
/// Invariants: <c>_open</c> holds the numbers given and not finished, ascending; <c>_committed</c> is the one below the first of
/// them, or the last given when there is none, and never goes down. Bounded by the requests in progress.
/// </remarks>
internal sealed class TransactionNumbers(ulong start)
{
    private readonly Lock _gate = new();
    private readonly List<ulong> _open = [];
    private ulong _last = start;
    private ulong _committed = start;

    public ulong Committed => Volatile.Read(ref _committed);

    /// <summary>Starts a change; disposing the result finishes it, whether or not it succeeded.</summary>
    public OpenTransaction Begin()
    {
        lock (_gate)
        {
            _open.Add(++_last);
            return new OpenTransaction(this, _last);
        }
    }

    internal void End(ulong number)
    {
        lock (_gate)
        {
            int at = _open.BinarySearch(number);
            if (at < 0) return;
            _open.RemoveAt(at);
            Volatile.Write(ref _committed, _open.Count == 0 ? _last : _open[0] - 1);
        }
    }
}

/// <summary>A change under way: <see cref="Number"/> is its transno.</summary>
internal readonly struct OpenTransaction(TransactionNumbers owner, ulong number) : IDisposable
{
    public ulong Number => number;

    public void Dispose() => owner.End(number);
}
