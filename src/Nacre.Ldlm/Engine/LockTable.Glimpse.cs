using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Asking the holder of unwritten data how large the object is: 03 section 14.2.</summary>
internal sealed partial class LockTable
{
    /// <summary>
    /// The attributes of an object as a stat has to show them now: those of the object, raised by what the writing client
    /// says. Returns 0 or a negative errno.
    /// </summary>
    public async ValueTask<(int Error, OstLvb Lvb)> GlimpseAsync(LdlmResId name)
    {
        var error = ObjectLvb(name, out var lvb);
        if (error != 0)
            return (error, lvb);
        var targets = GlimpseTargets(name, lvb.ObjectSize);
        if (targets.Count == 0)
            return (0, lvb);

        var answers = new Task<OstLvb>[targets.Count];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = AskAsync(targets[i]);
        var merged = await Task.WhenAll(answers).ConfigureAwait(false);

        // The holder may have written meanwhile what it did not tell any more.
        error = ObjectLvb(name, out lvb);
        foreach (var answer in merged)
            lvb.MergeMaximum(answer);
        return (error, lvb);
    }

    private int ObjectLvb(in LdlmResId name, out OstLvb lvb)
    {
        lvb = default;
        var length = _lvbs(name, LockType.Extent, MemoryMarshal.AsBytes(new Span<OstLvb>(ref lvb)));
        return Math.Min(length, 0);
    }

    /// <summary>
    /// The holder with the highest start among those who may have written beyond the size; below a lock that was asked
    /// for without expansion the next ones too, one a client. A lock of the server itself hides nothing from the object.
    /// </summary>
    private List<LdlmLock> GlimpseTargets(in LdlmResId name, ulong size)
    {
        var targets = new List<LdlmLock>();
        lock (_gate)
        {
            if (!_resources.TryGetValue(name, out var resource) || resource is not ExtentResource extents)
                return targets;
            for (var l = extents.GlimpseTarget(size, null); l is not null; l = extents.GlimpseTarget(size, l))
            {
                if (l.Owner is { } owner && !targets.Exists(other => other.Owner == owner))
                    targets.Add(l);
                if (!l.Has(LockMarks.NoExpansion) || targets.Count >= _options.MaxGlimpseTargets)
                    break;
            }
        }
        return targets;
    }

    /// <summary>What the holder answered; zeros, which change nothing, when it has no data of the object.</summary>
    private async Task<OstLvb> AskAsync(LdlmLock l)
    {
        var owner = l.Owner!;
        LdlmLockDesc desc;
        TimeSpan timeout;
        lock (_gate)
        {
            if (l.State != LockState.Granted)
                return default;
            desc = l.Describe();
            timeout = _timers.TimeoutOf(owner);
        }
        var body = new byte[LdlmRequest.Size];
        CallbackMessages.Glimpse(body, l, desc);
        CallbackReply reply;
        try
        {
            reply = await owner.Client
                .CallAsync(Opcode.LdlmGlCallback, body, default, false, timeout, null, _stop).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            SettleGlimpse(owner, l, null, e);
            return default;
        }
        if (reply.Status != 0)
            SettleGlimpse(owner, l, reply.Status, null);
        return reply.Status == 0 ? OstLvb.Read(reply.Lvb.Span) : default;
    }

    private void SettleGlimpse(LockOwner owner, LdlmLock l, int? status, Exception? cause)
    {
        if (status == -LdlmStatus.NoLockData || _stop.IsCancellationRequested || owner.Dropped)
            return;
        if (status == -Errno.EINVAL)
        {
            Log.LockUnknownToClient(_log, _name, owner.Client.Description, l.Handle);
            Release(l);
        }
        else if (StateOf(l) == LockState.Granted)
        {
            if (cause is not null)
                Log.CallbackUnanswered(_log, cause, _name, owner.Client.Description, CallbackKind.Glimpse);
            else
                Log.CallbackRefused(_log, _name, owner.Client.Description, CallbackKind.Glimpse, status!.Value);
            owner.Client.Evict("glimpse callback unanswered or refused");
        }
    }
}
