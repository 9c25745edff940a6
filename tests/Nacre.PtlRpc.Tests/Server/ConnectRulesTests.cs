using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>The table of 02 section 9.3, row by row.</summary>
public class ConnectRulesTests
{
    private const ConnectOperationFlags Initial = ConnectOperationFlags.Initial;

    /// <summary>A client that was connected once and comes back as it should.</summary>
    private static ConnectFacts Returning => new()
    {
        Wanted = ConnectFlags.Full20,
        Version = ObdConnectData.Version2158,
        Exists = true,
        Connected = true,
        SameNid = true,
        SameClientHandle = true,
        HandleResolves = true,
        ConnectionCount = 2,
        StoredConnectionCount = 1,
    };

    private static ConnectFacts New => new()
    {
        Operation = Initial,
        Wanted = ConnectFlags.Full20,
        Version = ObdConnectData.Version2158,
        ConnectionCount = 1,
    };

    [Fact]
    public void Row5NeedsFull20() => Refused(Errno.EPROTO, New with { Wanted = ConnectFlags.At });

    [Fact]
    public void Row5RefusesLibClients() => Refused(Errno.EPROTO, New with { Operation = Initial | ConnectOperationFlags.LibClient });

    [Theory]
    [InlineData(0x020F0800, true)]
    [InlineData(0x020F0B00, true)]
    [InlineData(0x020F0500, true)]
    [InlineData(0x020F0400, false)]
    [InlineData(0x02100800, false)]
    public void Row6ComparesReleasesOfMdts(uint version, bool accepted)
    {
        var facts = New with { Wanted = ConnectFlags.Full20 | ConnectFlags.MdsMds, Version = version };
        Assert.Equal(accepted ? ConnectAction.Create : ConnectAction.Refuse, ConnectRules.Decide(facts).Action);
    }

    [Fact]
    public void Row7RefusesASecondConnectAtTheSameTime() => Refused(Errno.EALREADY, Returning with { Connecting = true });

    [Theory]
    [InlineData(ConnectFlags.Mds)]
    [InlineData(ConnectFlags.Lightweight)]
    public void Row8ReplacesTheExportOfARestartedServer(ConnectFlags flag)
    {
        var facts = Returning with { Operation = Initial, Wanted = ConnectFlags.Full20 | flag, ConnectionCount = 1, SameClientHandle = false };
        Decided(ConnectAction.Replace, facts);
        Decided(ConnectAction.Reconnect, Returning with { Wanted = ConnectFlags.Full20 | flag });
    }

    [Fact]
    public void Row8KeepsTheExportOfAnMdtAtTheSameNid()
    {
        var facts = Returning with { Wanted = ConnectFlags.Full20 | ConnectFlags.MdsMds };
        Decided(ConnectAction.Reconnect, facts);
        Decided(ConnectAction.Replace, facts with { SameNid = false });
    }

    [Fact]
    public void Row9RefusesAnotherNode() => Refused(Errno.EALREADY, Returning with { Operation = Initial, SameNid = false });

    [Fact]
    public void AClientMayComeBackFromAnotherNid() => Decided(ConnectAction.Reconnect, Returning with { SameNid = false });

    [Fact]
    public void Row10RefusesAnotherClientHandle() => Refused(Errno.EALREADY, Returning with { SameClientHandle = false });

    [Fact]
    public void Row11RefusesWhileRequestsAreRunning()
    {
        var facts = Returning with { HandleResolves = false, HasRequestsInProgress = true };
        Refused(Errno.EBUSY, facts);
        Decided(ConnectAction.Reconnect, facts with { HasRequestsInProgress = false });
        Decided(ConnectAction.Reconnect, facts with { HandleResolves = true });
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    public void Rows12And14RefuseOldCounters(uint count, uint stored) =>
        Refused(Errno.EALREADY, Returning with { ConnectionCount = count, StoredConnectionCount = stored });

    [Fact]
    public void Row13RefusesNewClientsDuringRecovery()
    {
        Refused(Errno.EBUSY, New with { Recovering = true });
        Decided(ConnectAction.Create, New with { Recovering = true, Wanted = ConnectFlags.Full20 | ConnectFlags.Lightweight });
        Decided(ConnectAction.Create, New with { Recovering = true, Wanted = ConnectFlags.Full20 | ConnectFlags.Mds });
    }

    [Fact]
    public void Row15KeepsAllState() => Decided(ConnectAction.Reconnect, Returning);

    [Fact]
    public void Row15AnswersAClientWhoseFirstReplyWasLost() =>
        Decided(ConnectAction.Reconnect, Returning with { Operation = Initial, HandleResolves = false });

    [Fact]
    public void Row16TakesOverAStoredExport() =>
        Decided(ConnectAction.TakeOver, Returning with { Connected = false, SameClientHandle = false, StoredConnectionCount = 0 });

    [Fact]
    public void Row17CreatesAnExport()
    {
        Decided(ConnectAction.Create, New);
        // After an idle disconnect the counter goes on.
        Decided(ConnectAction.Create, New with { ConnectionCount = 4 });
    }

    private static void Refused(int errno, ConnectFacts facts) =>
        Assert.Equal(new ConnectDecision(ConnectAction.Refuse, errno), ConnectRules.Decide(facts));

    private static void Decided(ConnectAction action, ConnectFacts facts) =>
        Assert.Equal(new ConnectDecision(action), ConnectRules.Decide(facts));
}
