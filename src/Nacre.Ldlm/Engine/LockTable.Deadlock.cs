using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Deadlock detection among the flocks of this namespace: 03 section 15.3.</summary>
internal sealed partial class LockTable
{
    /// <summary>Holders one search visits at most; a longer chain counts as no cycle.</summary>
    private const int SearchLimit = 4096;

    private readonly Dictionary<FlockNode, List<LdlmLock>> _flockWaiters = [];
    private readonly HashSet<FlockNode> _visited = [];
    private readonly Stack<LdlmLock> _toVisit = new();

    private void RememberFlockWaiter(LdlmLock l)
    {
        var node = FlockHolder.Of(l).Node;
        if (!_flockWaiters.TryGetValue(node, out var waits))
            _flockWaiters[node] = waits = [];
        waits.Add(l);
    }

    private void ForgetFlockWaiter(LdlmLock l)
    {
        var node = FlockHolder.Of(l).Node;
        if (!_flockWaiters.TryGetValue(node, out var waits))
            return;
        waits.Remove(l);
        if (waits.Count == 0)
            _flockWaiters.Remove(node);
    }

    /// <summary>
    /// Someone the request waits for waits, directly or through others, for the holder of the request. All holders in the
    /// way of each request are followed, not just one.
    /// </summary>
    private bool ClosesCycle(LdlmLock request)
    {
        var search = new CycleSearch(this, FlockHolder.Of(request).Node);
        _toVisit.Push(request);
        while (!search.Found && _toVisit.TryPop(out var waiting))
        {
            search.Waiting = FlockHolder.Of(waiting);
            ((FlockResource)waiting.Resource).VisitExcluded(waiting, ref search);
        }
        _toVisit.Clear();
        _visited.Clear();
        if (search.Found)
            Log.Deadlock(_log, _name, request.Owner!.Client.Description, request.Resource.Name.ToString());
        return search.Found;
    }

    /// <summary>
    /// A new grant makes others on the resource wait for its holder. Where that holder waits itself, this can close a
    /// cycle that no enqueue saw; the waiter is then refused. True when one was.
    /// </summary>
    private bool BreakCyclesThrough(FlockResource resource, LdlmLock granted, LockWork work)
    {
        if (resource.Waiting is null || !_flockWaiters.ContainsKey(FlockHolder.Of(granted).Node))
            return false;
        var broken = false;
        LdlmLock? next;
        for (var l = resource.Waiting.First; l is not null; l = next)
        {
            next = l.Next;
            if (!l.Owner!.Client.UnderstandsFlockDeadlock || !resource.Conflict(l, granted) || !ClosesCycle(l))
                continue;
            RefuseWaiter(l, LdlmFlags.AstSent | LdlmFlags.FlockDeadlock, work);
            broken = true;
        }
        return broken;
    }

    private struct CycleSearch(LockTable table, FlockNode target) : IExtentVisitor
    {
        /// <summary>The holder whose obstacles are being looked at.</summary>
        public FlockHolder Waiting;

        public bool Found { get; private set; }

        public bool Visit(LdlmLock l)
        {
            var holder = FlockHolder.Of(l);
            if (holder == Waiting)
                return true;
            var node = holder.Node;
            if (node == target)
            {
                Found = true;
                return false;
            }
            if (table._visited.Count >= SearchLimit || !table._visited.Add(node))
                return true;
            if (table._flockWaiters.TryGetValue(node, out var waits))
                foreach (var wait in waits)
                    table._toVisit.Push(wait);
            return true;
        }
    }
}
