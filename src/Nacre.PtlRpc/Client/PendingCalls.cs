namespace Nacre.PtlRpc;

/// <summary>
/// The unanswered requests of an import in the order of their xids, which is the order in which they got them. Guarded by the import.
/// </summary>
internal sealed class PendingCalls
{
    private ImportCall? _first;
    private ImportCall? _last;

    public int Count { get; private set; }

    /// <summary>The value of <c>pb_last_xid</c>: everything up to it has been answered.</summary>
    public ulong LastXid => _first is { } first ? first.Xid - 1 : 0;

    public void Append(ImportCall call)
    {
        call.Previous = _last;
        call.Next = null;
        if (_last is { } last)
        {
            last.Next = call;
        }
        else
        {
            _first = call;
        }

        _last = call;
        Count++;
    }

    public void Remove(ImportCall call)
    {
        if (call.Previous is { } previous)
        {
            previous.Next = call.Next;
        }
        else
        {
            _first = call.Next;
        }

        if (call.Next is { } next)
        {
            next.Previous = call.Previous;
        }
        else
        {
            _last = call.Previous;
        }

        call.Next = call.Previous = null;
        Count--;
    }

    public List<ImportCall> ToList()
    {
        var calls = new List<ImportCall>(Count);
        for (var call = _first; call is not null; call = call.Next)
        {
            calls.Add(call);
        }

        return calls;
    }
}
