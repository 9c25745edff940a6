using System.Diagnostics.CodeAnalysis;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>
/// The actions and the copytools of one MDT, in memory. Safe for any thread: its lock is the innermost, nothing is called under it.
/// </summary>
/// <remarks>
/// Invariants: an action is listed by cookie and under its file from <see cref="Add"/> to <see cref="Remove"/>; it has an agent exactly while it is Running or Canceled,
/// or Ending after one of these, and counts in that agent's Running.
/// </remarks>
internal sealed class HsmQueue(HsmOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, HsmAction> _byCookie = [];
    private readonly Dictionary<LuFid, List<HsmAction>> _byFile = [];
    /// <summary>What waits, by archive and whether somebody waits for it, oldest first: an archive without a copytool holds nobody up.</summary>
    private readonly Dictionary<(uint Archive, bool IsRestore), SortedDictionary<ulong, HsmAction>> _waiting = [];
    private readonly Dictionary<Export, HsmAgent> _agents = [];
    private int _running;

    public int Count
    {
        get
        {
            lock (_lock)
                return _byCookie.Count;
        }
    }

    /// <summary>Whether <paramref name="more"/> actions still fit.</summary>
    public bool HasRoom(int more)
    {
        lock (_lock)
            return _byCookie.Count + more <= options.MaxQueued;
    }

    public void Add(HsmAction action)
    {
        lock (_lock)
        {
            _byCookie.Add(action.Cookie, action);
            if (!_byFile.TryGetValue(action.Fid, out var others))
                _byFile.Add(action.Fid, others = []);
            others.Add(action);
        }
    }

    /// <summary>Its transaction is committed: it may be given to a copytool.</summary>
    public void LetWait(HsmAction action)
    {
        lock (_lock)
            BackToWaiting(action);
    }

    public void Remove(HsmAction action)
    {
        lock (_lock)
            Unlist(action);
    }

    public bool TryFind(ulong cookie, [NotNullWhen(true)] out HsmAction? action)
    {
        lock (_lock)
            return _byCookie.TryGetValue(cookie, out action);
    }

    /// <summary>The newest action on a file that has not ended, if any.</summary>
    public HsmAction? NewestOf(LuFid file)
    {
        lock (_lock)
            return _byFile.TryGetValue(file, out var actions) ? actions.FindLast(static a => a.Status != HsmActionStatus.Canceled) : null;
    }

    /// <summary>Whether an action of this kind on the file is queued or running.</summary>
    public bool Has(LuFid file, HsmUserAction kind)
    {
        lock (_lock)
            return _byFile.TryGetValue(file, out var actions)
                && actions.Exists(a => a.Action == kind && a.Status != HsmActionStatus.Canceled);
    }

    /// <summary>State, kind and progress of an action, as they are at one moment.</summary>
    public HsmCurrentAction Describe(HsmAction action)
    {
        lock (_lock)
        {
            bool running = action.Status is HsmActionStatus.Running or HsmActionStatus.Ending;
            return new HsmCurrentAction
            {
                State = running ? HsmProgressState.Running : HsmProgressState.Waiting,
                Action = action.Action,
                Extent = running ? new HsmExtent { Length = action.Moved } : HsmExtent.Whole,
            };
        }
    }

    /// <summary>Notes a sign of life. False when the action was canceled.</summary>
    public bool Note(HsmAction action, in HsmProgressKernel report)
    {
        lock (_lock)
        {
            action.LastHeard = time.GetTimestamp();
            action.Moved += Math.Min(report.Extent.Length, ulong.MaxValue - action.Moved);
            if (report.Fid != action.Fid)
                action.DataFid = report.Fid;
            return action.Status != HsmActionStatus.Canceled;
        }
    }

    /// <summary>Claims the end of an action for one report. False when another has it.</summary>
    public bool TryBeginEnd(HsmAction action, out bool wasCanceled)
    {
        lock (_lock)
        {
            wasCanceled = action.Status == HsmActionStatus.Canceled;
            if (action.Status is HsmActionStatus.Ending or HsmActionStatus.Uncommitted)
                return false;
            StopWaiting(action);
            action.Status = HsmActionStatus.Ending;
            return true;
        }
    }

    /// <summary>Takes an action from its copytool, which hears of it when it reports. False when it ends already or none has it: nobody will report.</summary>
    public bool TryCancelRunning(HsmAction action, [NotNullWhen(true)] out HsmAgent? agent)
    {
        lock (_lock)
        {
            agent = action.Agent;
            if (action.Status != HsmActionStatus.Running || agent is null)
                return false;
            action.Status = HsmActionStatus.Canceled;
            return true;
        }
    }

    /// <summary>Claims what a cancellation of the file ends.</summary>
    public IReadOnlyList<HsmAction> ActiveOn(LuFid file)
    {
        lock (_lock)
            return _byFile.TryGetValue(file, out var actions)
                ? [.. actions.Where(static a => a.Status is HsmActionStatus.Waiting or HsmActionStatus.Running)]
                : [];
    }

    /// <summary>EEXIST when the client is registered already (07 section 4.6).</summary>
    public bool TryRegister(Export export, IReadOnlySet<uint>? archives)
    {
        lock (_lock)
            return _agents.TryAdd(export, new HsmAgent(export, archives));
    }

    /// <summary>
    /// Forgets a client's copytools; what they worked on is begun again by others, and what was canceled ends, as nobody will report it. False when there
    /// were none.
    /// </summary>
    public bool Unregister(Export export)
    {
        lock (_lock)
        {
            if (!_agents.Remove(export, out var agent))
                return false;
            foreach (var action in _byCookie.Values.Where(a => a.Agent == agent).ToList())
                LeaveCopytool(action);
            return true;
        }
    }

    /// <summary>
    /// Gives waiting actions, oldest first, to the copytools that have least to do. One restore is always let through, whatever else
    /// runs, as somebody waits for it (07 section 5.2).
    /// </summary>
    /// <param name="max">At most so many.</param>
    public IReadOnlyList<HsmAction> Assign(int max)
    {
        var assigned = new List<HsmAction>();
        lock (_lock)
        {
            while (assigned.Count < max && NextToRun(out var agent) is { } action)
            {
                StopWaiting(action);
                (action.Agent, action.Status, action.LastHeard) = (agent, HsmActionStatus.Running, time.GetTimestamp());
                agent!.Running++;
                _running++;
                assigned.Add(action);
            }
        }
        return assigned;
    }

    /// <summary>Not delivered: waits again, or ends if it was canceled meanwhile.</summary>
    public void TakeBack(HsmAction action)
    {
        lock (_lock)
            LeaveCopytool(action);
    }

    /// <summary>A failed end that left the action where it was.</summary>
    public void WaitAgain(HsmAction action)
    {
        lock (_lock)
        {
            if (action.Status == HsmActionStatus.Ending)
                BackToWaiting(action);
        }
    }

    /// <summary>Actions of which nothing was heard for too long.</summary>
    public IReadOnlyList<HsmAction> Silent()
    {
        lock (_lock)
            return _running == 0
                ? []
                : [.. _byCookie.Values.Where(a => a.Agent != null && a.Status is HsmActionStatus.Running or HsmActionStatus.Canceled
                    && time.GetElapsedTime(a.LastHeard) > options.ActiveTimeout)];
    }

    private HsmAction? NextToRun(out HsmAgent? agent)
    {
        (HsmAction? next, agent) = (null, null);
        foreach (var ((archive, isRestore), actions) in _waiting)
        {
            int allowed = isRestore ? options.MaxRunning + 1 : options.MaxRunning;
            if (_running >= allowed || LeastBusy(archive) is not { } candidate)
                continue;
            var oldest = actions.First().Value;
            if (next is null || oldest.Cookie < next.Cookie)
                (next, agent) = (oldest, candidate);
        }
        return next;
    }

    private HsmAgent? LeastBusy(uint archiveId)
    {
        HsmAgent? best = null;
        foreach (var agent in _agents.Values)
        {
            if (agent.Serves(archiveId) && (best is null || agent.Running < best.Running))
                best = agent;
        }
        return best;
    }

    /// <summary>Its copytool does not work on it any more.</summary>
    private void LeaveCopytool(HsmAction action)
    {
        if (action.Status == HsmActionStatus.Running)
            BackToWaiting(action);
        else if (action.Status == HsmActionStatus.Canceled)
            Unlist(action);
    }

    private void Unlist(HsmAction action)
    {
        if (!_byCookie.Remove(action.Cookie))
            return;
        LeaveAgent(action);
        StopWaiting(action);
        var others = _byFile[action.Fid];
        others.Remove(action);
        if (others.Count == 0)
            _byFile.Remove(action.Fid);
    }

    private void BackToWaiting(HsmAction action)
    {
        // One that has ended must not be handed out: nothing would end it again.
        if (!_byCookie.ContainsKey(action.Cookie))
            return;
        LeaveAgent(action);
        action.Status = HsmActionStatus.Waiting;
        (action.Moved, action.DataFid) = (0, default);
        var group = (action.ArchiveId, action.Action == HsmUserAction.Restore);
        if (!_waiting.TryGetValue(group, out var actions))
            _waiting.Add(group, actions = []);
        actions[action.Cookie] = action;
    }

    private void StopWaiting(HsmAction action)
    {
        var group = (action.ArchiveId, action.Action == HsmUserAction.Restore);
        if (_waiting.TryGetValue(group, out var actions) && actions.Remove(action.Cookie) && actions.Count == 0)
            _waiting.Remove(group);
    }

    private void LeaveAgent(HsmAction action)
    {
        if (action.Agent is not { } agent)
            return;
        agent.Running--;
        _running--;
        action.Agent = null;
    }
}
