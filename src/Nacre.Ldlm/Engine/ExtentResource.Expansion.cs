using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>How much of an object a client gets when it asks for a part: 03 section 13.2.</summary>
internal sealed partial class ExtentResource
{
    private const ulong PageSize = 4096;

    /// <summary>With more conflicting locks than this, a write lock grows by <see cref="CrowdedLimit"/> at most.</summary>
    private const int Crowded = 32;
    private const ulong CrowdedLimit = 32 << 20;

    /// <summary>A longer queue is not walked for each grant; the grant then keeps clear of all requests in it alike.</summary>
    private const int LongQueue = 64;

    private (ulong Start, ulong End) ChooseExtent(LdlmLock l)
    {
        if (l.Mode == LockMode.Group)
            return (0, LdlmPolicy.EndOfFile);
        var request = (l.Policy.Start, l.Policy.End);
        if (l.Owner is null || l.Has(LockMarks.NoExpansion) || request is (0, LdlmPolicy.EndOfFile))
            return request;

        ulong start = 0, end = LdlmPolicy.EndOfFile;
        var conflicts = LimitByGranted(l, ref start, ref end);
        conflicts += LimitByWaiting(l, ref start, ref end);
        if (conflicts > Crowded && l.Mode is LockMode.PW or LockMode.CW)
            end = Math.Min(end, Math.Max(request.End, SaturatingAdd(request.Start, CrowdedLimit - 1)));
        RoundInwards(request, ref start, ref end);
        return (start, end);
    }

    /// <summary>Stops before the next granted lock of an excluded mode. Grows downwards only if there is none at all.</summary>
    private int LimitByGranted(LdlmLock l, ref ulong start, ref ulong end)
    {
        var conflicts = 0;
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if (group.Count == 0 || !Excludes(group, l))
                continue;
            conflicts += group.Count;
            start = l.Policy.Start;
            if (group.Uncontended.TryStartBehind(l.Policy.End, out var next))
                end = Math.Min(end, next - 1);
            if (group.Contended.TryStartBehind(l.Policy.End, out next))
                end = Math.Min(end, next - 1);
        }
        return conflicts;
    }

    /// <summary>Does not reach into what another request waits for, unless it was asked to.</summary>
    private int LimitByWaiting(LdlmLock l, ref ulong start, ref ulong end)
    {
        if (Waiting?.Count > LongQueue)
            return LimitByLongQueue(l, ref start, ref end);
        var conflicts = 0;
        for (var waiter = Waiting?.First; waiter is not null; waiter = waiter.Next)
        {
            var excluded = ModesExclude(l, waiter);
            if (waiter == l || (!excluded && waiter.Owner != l.Owner))
                continue;
            if (excluded)
                conflicts++;
            if (waiter.Policy.Start > l.Policy.End)
                end = Math.Min(end, waiter.Policy.Start - 1);
            else if (waiter.Policy.End < l.Policy.Start)
                start = Math.Max(start, waiter.Policy.End + 1);
        }
        return conflicts;
    }

    /// <summary>Does not grow downwards, nor upwards into anything that is waited for, by whomever.</summary>
    private int LimitByLongQueue(LdlmLock l, ref ulong start, ref ulong end)
    {
        start = l.Policy.Start;
        foreach (ref readonly var tree in _waiting.AsSpan())
            if (tree.TryStartBehind(l.Policy.End, out var next))
                end = Math.Min(end, next - 1);
        return Waiting!.Count;
    }

    /// <summary>
    /// Rounds inwards to the largest power of two the request itself is aligned to, a page at least, but never into the
    /// request.
    /// </summary>
    private static void RoundInwards((ulong Start, ulong End) request, ref ulong start, ref ulong end)
    {
        var unaligned = request.Start | unchecked(request.End + 1);
        var alignment = Math.Max(PageSize, unaligned & (~unaligned + 1)); // unaligned is not 0: [0, EOF] is not expanded
        var mask = alignment - 1;
        if ((start & mask) != 0)
            start = Math.Min(request.Start, SaturatingAdd(start, mask) & ~mask);
        if (end == LdlmPolicy.EndOfFile)
            return;
        var behind = (end + 1) & ~mask;
        end = behind == 0 ? request.End : Math.Max(request.End, behind - 1);
    }

    private static ulong SaturatingAdd(ulong a, ulong b) => a > ulong.MaxValue - b ? ulong.MaxValue : a + b;
}
