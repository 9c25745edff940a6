using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Requests that take longer than their client would wait (02 section 6.7).</summary>
public class EarlyReplyTests
{
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");
    private readonly TaskCompletionSource _release = new();

    [Fact]
    public async Task TheClientIsAskedForMoreTimeBeforeItGivesUp()
    {
        await using var network = await StartAsync();
        var client = await ConnectAsync(network);
        client.Timeout = 6;
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await InProgressAsync(network);

        // As captured: timeout 6, an early reply after 1 s that asks for 31.
        await network.AdvanceUntilAsync(() => call.Replies.Count == 1, TimeSpan.FromSeconds(3));
        var early = call.Replies[0];
        Assert.Equal(0, early.Offset);
        Assert.Equal(MessageLayout.EarlyReplySize, early.Bytes.Length);
        Assert.Equal(early.Message.Header.Checksum, MessageChecksum.OfBody(early.Message.Buffer(0)));
        Assert.Equal(
            (MessageType.Reply, Opcode.LdlmEnqueue, 0, 31u, 1u),
            (early.Body.Type, early.Body.Opcode, early.Body.Status, early.Body.Timeout, early.Body.ServiceTime));

        // The next one 5 s before those 31 are over.
        await network.AdvanceAsync(TimeSpan.FromSeconds(24), TimeSpan.FromMilliseconds(250));
        Assert.Single(call.Replies);
        await network.AdvanceUntilAsync(() => call.Replies.Count == 2, TimeSpan.FromSeconds(2));
        Assert.Equal(56u, call.Replies[1].Body.Timeout);

        _release.SetResult();
        var final = await call.FinalAsync();
        Assert.Equal(MessageLayout.EarlyReplySize, final.Offset);
        Assert.Equal(26u, final.Body.ServiceTime);
        // The service is known to be slow now.
        Assert.Equal(56u, final.Body.Timeout);
        Assert.Equal(2, network.Server.Counters(_mdt).EarlyReplies);
    }

    [Fact]
    public async Task AShortTimeoutIsExtendedAtOnce()
    {
        await using var network = await StartAsync();
        var client = await ConnectAsync(network);
        client.Timeout = 2;
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await InProgressAsync(network);

        await network.AdvanceUntilAsync(() => call.Replies.Count == 1, TimeSpan.FromSeconds(1));
        _release.SetResult();
        await call.FinalAsync();
    }

    [Fact]
    public async Task EarlyRepliesEndAtTheLimit()
    {
        await using var network = await StartAsync();
        var client = await ConnectAsync(network);
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await InProgressAsync(network);

        await network.AdvanceUntilAsync(() => call.Replies.Any(reply => reply.Body.Timeout == 600));
        var count = call.Replies.Count;
        await network.AdvanceAsync(TimeSpan.FromSeconds(100));
        Assert.Equal(count, call.Replies.Count);
        _release.SetResult();
        await call.FinalAsync();
    }

    [Fact]
    public async Task WithoutTheFlagThereAreNone()
    {
        await using var network = await StartAsync();
        var client = await ConnectAsync(network);
        client.Flags = MessageFlags.ChecksumIncompat18;
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await InProgressAsync(network);

        await network.AdvanceAsync(TimeSpan.FromSeconds(90));
        Assert.Empty(call.Replies);
        _release.SetResult();
        Assert.Equal(0, (await call.FinalAsync()).Offset);
    }

    [Fact]
    public async Task ACopyCountsFromItsOwnArrival()
    {
        await using var network = await StartAsync();
        var client = await ConnectAsync(network);
        var xid = client.NextXid();
        client.Timeout = 100;
        var message = client.NewRequest(Opcode.LdlmEnqueue, 104);
        using var call = client.Send(Portal.MdsRequest, message, xid);
        await InProgressAsync(network);
        await network.AdvanceAsync(TimeSpan.FromSeconds(50));

        await client.ConnectAsync(_mdt);
        message.Body.Flags = BodyFlags.Resent;
        message.Body.ConnectionCount = client.ConnectionCount;
        client.Send(Portal.MdsRequest, message, xid).Dispose();
        await Eventually.TrueAsync(() => network.Server.Counters(_mdt).Duplicates == 1);
        await network.AdvanceAsync(TimeSpan.FromSeconds(10));
        _release.SetResult();

        Assert.Equal(10u, (await call.FinalAsync()).Body.ServiceTime);
    }

    [Fact]
    public async Task AWaitingRequestOfAClosedExportIsToldSo()
    {
        _mdt.On(Opcode.LdlmEnqueue, async request => await Task.Delay(Timeout.Infinite, request.Aborted));
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await ConnectAsync(network);
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await InProgressAsync(network);

        network.Server.Evict(network.Server.Exports(_mdt).Single(), "the test says so");

        var reply = await call.FinalAsync();
        Assert.Equal((MessageType.Error, -Errno.ENOTCONN), (reply.Body.Type, reply.Body.Status));
        Assert.Equal(0, network.Server.WaitingBytes);
    }

    private async Task<RpcNetwork> StartAsync() =>
        await RpcNetwork.StartAsync(_mdt.On(Opcode.LdlmEnqueue, async _ => await _release.Task));

    private async Task<ScriptedClient> ConnectAsync(RpcNetwork network)
    {
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        return client;
    }

    private Task InProgressAsync(RpcNetwork network) =>
        Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);
}
