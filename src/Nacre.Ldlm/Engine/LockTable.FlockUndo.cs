using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Taking back a grant for which no process waits any more: 03 section 15.4.</summary>
internal sealed partial class LockTable
{
    private FlockUndo RecordUndo(FlockResource resource, LdlmLock l)
    {
        var undo = new FlockUndo(FlockHolder.Of(l));
        ulong start = l.Policy.Start, end = l.Policy.End;
        resource.CollectOwn(undo.Holder, start, end, _own);
        var at = start;
        foreach (var held in _own)
        {
            var from = Math.Max(held.Policy.Start, start);
            var to = Math.Min(held.Policy.End, end);
            if (from > at)
                undo.Pieces.Add((at, from - 1, LockMode.NL));
            undo.Pieces.Add((from, to, held.Mode));
            at = to == ulong.MaxValue ? to : to + 1;
        }
        if (_own.Count == 0 || _own[^1].Policy.End < end)
            undo.Pieces.Add((at, end, LockMode.NL));
        _own.Clear();
        resource.Undos.Add(undo);
        return undo;
    }

    private static void ForgetUndos(FlockResource resource, FlockHolder holder, ulong start, ulong end)
    {
        foreach (var undo in resource.Undos)
            if (undo.Holder == holder)
                undo.Forget(start, end);
    }

    /// <summary>The CP AST was answered, or never will be.</summary>
    private void SettleFlock(FlockResource resource, FlockUndo undo, bool undoIt)
    {
        var work = LockWork.Rent();
        lock (_gate)
        {
            resource.Undos.Remove(undo);
            if (undoIt && !undo.Holder.Owner.Dropped)
                foreach (var (start, end, mode) in undo.Pieces)
                    Restore(resource, undo.Holder, start, end, mode);
            Reprocess(resource, work);
        }
        work.Run(this);
    }

    private void Restore(FlockResource resource, FlockHolder holder, ulong start, ulong end, LockMode mode)
    {
        var l = new LdlmLock(holder.Owner, 0, mode, LdlmPolicy.Flock(start, end, holder.Id, 0)) { Resource = resource };
        // What was given up by a downgrade may belong to someone else by now; the holder then has to do with less.
        if (mode == LockMode.NL || !resource.ConflictsWithGranted(l))
            ApplyFlock(resource, l, granted: mode != LockMode.NL);
    }
}
