using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Deadlock detection among the flocks of this namespace: 03 section 15.3.</summary>
internal sealed partial class LockTable
{
    /// <summary>Holders one search visits at most; a longer chain counts as no cycle.</summary>
    private const int SearchLimit = 4096;

    /// <summary>Holders of the files on its way that one search looks at; what lies beyond counts as no cycle.</summary>
    private const int CheckLimit = 1 << 20;

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
        var target = FlockHolder.Of(request).Node;
        var budget = CheckLimit;
        var found = false;
        _toVisit.Push(request);
        while (!found && _toVisit.TryPop(out var waiting))
            found = LeadsTo(target, waiting, ref budget);
        _toVisit.Clear();
        _visited.Clear();
        if (found)
            Log.Deadlock(_log, _name, request.Owner!.Client.Description, request.Resource.Name.ToString());
        return found;
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

    /// <summary>
    /// One of those <paramref name="waiting"/> waits for is the target. What the others wait for is to be visited; who waits
    /// for nothing ends the chain and is not looked at more closely.
    /// </summary>
    private bool LeadsTo(FlockNode target, LdlmLock waiting, ref int budget)
    {
        var resource = (FlockResource)waiting.Resource;
        foreach (var holder in resource.Holders)
        {
            if (--budget < 0)
                return false;
            var node = holder.Node;
            var isTarget = node == target;
            if (!isTarget && (_visited.Contains(node) || !_flockWaiters.ContainsKey(node)))
                continue;
            if (!resource.Blocks(holder, waiting))
                continue;
            if (isTarget)
                return true;
            if (_visited.Count >= SearchLimit)
                continue;
            _visited.Add(node);
            foreach (var wait in _flockWaiters[node])
                _toVisit.Push(wait);
        }
        return false;
    }
}
