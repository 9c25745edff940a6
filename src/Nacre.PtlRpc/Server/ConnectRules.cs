using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>What decides about a connect, gathered from the request and the export of the same client UUID (02 section 9.3).</summary>
internal readonly record struct ConnectFacts
{
    public ConnectOperationFlags Operation { get; init; }

    public ConnectFlags Wanted { get; init; }

    /// <summary>The client's ocd_version.</summary>
    public uint Version { get; init; }

    /// <summary>The client has an export on this target.</summary>
    public bool Exists { get; init; }

    /// <summary>Another connect of the same client is being worked on.</summary>
    public bool Connecting { get; init; }

    /// <summary>False for an export loaded from stable storage that nobody has claimed yet.</summary>
    public bool Connected { get; init; }

    public bool SameNid { get; init; }

    /// <summary>The CONN handle is the one of the last connect.</summary>
    public bool SameClientHandle { get; init; }

    /// <summary>pb_handle is that of some export.</summary>
    public bool HandleResolves { get; init; }

    public bool HasRequestsInProgress { get; init; }

    public uint ConnectionCount { get; init; }

    /// <summary>Counter of the export's last connect.</summary>
    public uint StoredConnectionCount { get; init; }

    /// <summary>The target waits for its clients after a restart. Not used yet: a restart evicts (02 section 14 A).</summary>
    public bool Recovering { get; init; }
}

internal enum ConnectAction
{
    Refuse,
    Create,

    /// <summary>Close the old export, then create a new one.</summary>
    Replace,

    /// <summary>Keep all state and say so.</summary>
    Reconnect,

    /// <summary>Give an export from stable storage to its client, which thereby learns a new handle.</summary>
    TakeOver,
}

internal readonly record struct ConnectDecision(ConnectAction Action, int Errno = 0);

/// <summary>The table of 02 section 9.3, rows 5 to 17, in its order.</summary>
internal static class ConnectRules
{
    public static ConnectDecision Decide(in ConnectFacts facts)
    {
        // Row 5.
        if ((facts.Wanted & ConnectFlags.Full20) == 0 || (facts.Operation & ConnectOperationFlags.LibClient) != 0)
        {
            return Refuse(Errno.EPROTO);
        }

        // Row 6.
        if ((facts.Wanted & ConnectFlags.MdsMds) != 0 && !IsSameRelease(facts.Version))
        {
            return Refuse(Errno.EPROTO);
        }

        return facts.Exists ? DecideExisting(facts) : DecideNew(facts);
    }

    /// <summary>Same major and minor, patch apart by 3 at most.</summary>
    private static bool IsSameRelease(uint version)
    {
        const uint Ours = ObdConnectData.Version2158;
        return version >> 16 == Ours >> 16 && Math.Abs(Patch(version) - Patch(Ours)) <= 3;

        static int Patch(uint version) => (int)(version >> 8 & 0xFF);
    }

    private static ConnectDecision DecideExisting(in ConnectFacts facts)
    {
        // Row 7.
        if (facts.Connecting)
        {
            return Refuse(Errno.EALREADY);
        }

        var initial = (facts.Operation & ConnectOperationFlags.Initial) != 0;
        if (facts.Connected && IsRestartedServer(facts.Wanted, initial))
        {
            // Row 8.
            return (facts.Wanted & ConnectFlags.MdsMds) != 0 && facts.SameNid
                ? new ConnectDecision(ConnectAction.Reconnect)
                : new ConnectDecision(ConnectAction.Replace);
        }

        // Row 9.
        if (initial && facts.Connected && !facts.SameNid)
        {
            return Refuse(Errno.EALREADY);
        }

        // Row 10.
        if (facts.Connected && !facts.SameClientHandle)
        {
            return Refuse(Errno.EALREADY);
        }

        // Row 11.
        if (!facts.HandleResolves && facts.HasRequestsInProgress)
        {
            return Refuse(Errno.EBUSY);
        }

        // Rows 12 and 14: a counter that does not go up is a leftover of an earlier attempt. Row 12 names the counter 1, which
        // cannot be higher than that of an export that was connected before.
        if (facts.ConnectionCount <= facts.StoredConnectionCount)
        {
            return Refuse(Errno.EALREADY);
        }

        // Rows 15 and 16.
        return new ConnectDecision(facts.Connected ? ConnectAction.Reconnect : ConnectAction.TakeOver);
    }

    private static ConnectDecision DecideNew(in ConnectFacts facts)
    {
        // Row 13.
        if (facts.Recovering && (facts.Wanted & (ConnectFlags.Lightweight | ConnectFlags.Mds | ConnectFlags.MdsMds)) == 0)
        {
            return Refuse(Errno.EBUSY);
        }

        // Row 17.
        return new ConnectDecision(ConnectAction.Create);
    }

    private static bool IsRestartedServer(ConnectFlags wanted, bool initial) =>
        (wanted & ConnectFlags.MdsMds) != 0 || (initial && (wanted & (ConnectFlags.Mds | ConnectFlags.Lightweight)) != 0);

    private static ConnectDecision Refuse(int errno) => new(ConnectAction.Refuse, errno);
}
