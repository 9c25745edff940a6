using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Copies of requests: running, executed, and superseded ones (02 sections 6.6, 12.4, 12.5).</summary>
public class ResendTests
{
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");
    private int _executed;

    /// <summary>Modifies: each execution has its own transno.</summary>
    private FakeTarget WithReint() => _mdt.On(
        Opcode.MdsReint,
        request =>
        {
            Interlocked.Increment(ref _executed);
            request.StartReply(216);
            request.ReplyBuffer(1).Fill((byte)request.Buffer(1)[0]);
            request.Transno = _mdt.NextTransno();
        },
        modifies: true);

    private static ObdConnectData Wanted(ConnectFlags2 flags2 = ConnectFlags2.None)
    {
        var wanted = ScriptedClient.DefaultWanted;
        wanted.Flags |= ConnectFlags.Multimodrpcs | ConnectFlags.Flags2;
        wanted.Flags2 = flags2;
        return wanted;
    }

    private static MessageBuilder Reint(ScriptedClient client, ushort tag, byte content = 1)
    {
        var message = client.NewRequest(Opcode.MdsReint, 136);
        message.Buffer(1).Fill(content);
        message.Buffer(1)[..4].Fill(content);
        message.Body.Tag = tag;
        return message;
    }

    private static MessageBuilder Resent(MessageBuilder message, ScriptedClient client)
    {
        message.Body.Flags = BodyFlags.Resent;
        message.Body.ConnectionCount = client.ConnectionCount;
        return message;
    }

    [Theory]
    [InlineData(ConnectFlags2.None)]
    [InlineData(ConnectFlags2.RepMbits)]
    public async Task AModificationIsNotExecutedTwice(ConnectFlags2 flags2)
    {
        await using var network = await RpcNetwork.StartAsync(WithReint());
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted(flags2));
        var xid = client.NextXid();
        var message = Reint(client, 1);
        message.Body.MatchBits = xid;
        var first = await client.CallAsync(Portal.MdsRequest, message, xid);
        await client.ConnectAsync(_mdt, Wanted(flags2));
        _mdt.LastCommitted = 500;

        // A resent copy has fresh match bits; the reply goes there only where that was agreed on (02 section 6.3).
        var bits = client.NextXid();
        Resent(message, client).Body.MatchBits = bits;
        using var call = client.Send(Portal.MdsRequest, message, xid, flags2 == ConnectFlags2.RepMbits ? bits : xid);
        var again = await call.FinalAsync();

        Assert.Equal(1, _executed);
        Assert.Equal(first.Body.Transno, again.Body.Transno);
        Assert.Equal(first.Message.Buffer(1).ToArray(), again.Message.Buffer(1).ToArray());
        Assert.Equal(500ul, again.Body.LastCommitted);
        Assert.Equal(MessageLayout.EarlyReplySize, again.Offset);
        Assert.Equal(1, network.Server.Counters(_mdt).ResendsAnswered);
    }

    [Fact]
    public async Task AResentRequestThatNeverArrivedIsExecuted()
    {
        await using var network = await RpcNetwork.StartAsync(WithReint());
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted());

        var reply = await client.CallAsync(Portal.MdsRequest, Resent(Reint(client, 1), client));

        Assert.Equal((0, 1), (reply.Body.Status, _executed));
    }

    [Fact]
    public async Task WhatChangedNothingIsExecutedAgain()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, _ => Interlocked.Increment(ref _executed)));
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var xid = client.NextXid();
        var message = client.NewRequest(Opcode.MdsGetattr, 216, 0);

        await client.CallAsync(Portal.MdsReadPage, message, xid);
        await client.CallAsync(Portal.MdsReadPage, Resent(message, client), xid);

        Assert.Equal(2, _executed);
    }

    [Fact]
    public async Task AnExecutedXidWithoutTheResentFlagIsAnError()
    {
        await using var network = await RpcNetwork.StartAsync(WithReint());
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted());
        var xid = client.NextXid();
        await client.CallAsync(Portal.MdsRequest, Reint(client, 1), xid);

        var reply = await client.CallAsync(Portal.MdsRequest, Reint(client, 1), xid);

        Assert.Equal((MessageType.Error, -Errno.ENOTCONN, 1), (reply.Body.Type, reply.Body.Status, _executed));
    }

    [Fact]
    public async Task ASlotForgetsItsReplyWhenItIsUsedAgain()
    {
        await using var network = await RpcNetwork.StartAsync(WithReint());
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted());
        var records = network.Server.Exports(_mdt).Single().Replies;

        await client.CallAsync(Portal.MdsRequest, Reint(client, 1));
        await client.CallAsync(Portal.MdsRequest, Reint(client, 2));
        Assert.Equal(2, records.Count);
        await client.CallAsync(Portal.MdsRequest, Reint(client, 1));
        Assert.Equal(2, records.Count);

        var ping = client.NewRequest(Opcode.ObdPing);
        var xid = client.NextXid();
        ping.Body.LastXid = xid - 1;
        await client.CallAsync(Portal.MdsRequest, ping, xid);
        Assert.Equal(0, records.Count);
        Assert.NotEqual(0ul, records.HighestTransno);
    }

    [Fact]
    public async Task WithoutSlotsTheLastReplyAndTheLastCloseAreKept()
    {
        WithReint().On(Opcode.MdsClose, request => request.Transno = _mdt.NextTransno(), modifies: true);
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var records = network.Server.Exports(_mdt).Single().Replies;

        for (ushort i = 1; i <= 3; i++)
        {
            await client.CallAsync(Portal.MdsRequest, Reint(client, i));
            await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsClose, 24, 136, 0));
        }

        Assert.Equal(2, records.Count);
    }

    [Fact]
    public async Task WithIncXidAnOlderRequestOfASlotIsRefused()
    {
        await using var network = await RpcNetwork.StartAsync(WithReint());
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted(ConnectFlags2.IncXid));
        var (old, newer) = (client.NextXid(), client.NextXid());

        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, Reint(client, 1), newer)).Body.Status);
        Assert.Equal(-Errno.EPROTO, (await client.CallAsync(Portal.MdsRequest, Reint(client, 1), old)).Body.Status);
        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, Reint(client, 2), old)).Body.Status);
    }

    [Fact]
    public async Task WithIncXidANewerRequestMakesARunningOneObsolete()
    {
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.MdsReint, async request =>
        {
            if (request.Buffer(1)[0] == 1)
            {
                await release.Task;
            }
        }, modifies: true);
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt, Wanted(ConnectFlags2.IncXid));

        var obsolete = client.Send(Portal.MdsRequest, Reint(client, 1, content: 1), client.NextXid());
        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, Reint(client, 1, content: 2))).Body.Status);
        release.SetResult();
        await Eventually.TrueAsync(() => network.Server.Exports(_mdt).Single().RequestsInProgress == 0);
        await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing));

        Assert.False(obsolete.IsAnswered);
    }

    [Fact]
    public async Task ACopyOfARunningRequestIsAnsweredByIt()
    {
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.LdlmEnqueue, async request =>
        {
            Interlocked.Increment(ref _executed);
            await release.Task;
            request.Status = 301;
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        var wanted = Wanted(ConnectFlags2.RepMbits);
        await client.ConnectAsync(_mdt, wanted);
        var xid = client.NextXid();
        var message = client.NewRequest(Opcode.LdlmEnqueue, 104);
        message.Body.MatchBits = xid;
        using var first = client.Send(Portal.MdsRequest, message, xid);
        await Eventually.TrueAsync(() => _executed == 1);
        await client.ConnectAsync(_mdt, wanted);

        var bits = client.NextXid();
        Resent(message, client).Body.MatchBits = bits;
        using var second = client.Send(Portal.MdsRequest, message, xid, bits);
        await Eventually.TrueAsync(() => network.Server.Counters(_mdt).Duplicates == 1);
        release.SetResult();

        Assert.Equal(301, (await second.FinalAsync()).Body.Status);
        Assert.False(first.IsAnswered);
        Assert.Equal(1, _executed);
    }

    [Fact]
    public async Task AReconnectIsRefusedWhileRequestsOfAForgottenHandleRun()
    {
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.LdlmEnqueue, async _ => await release.Task);
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid());
        await Eventually.TrueAsync(() => network.Server.Exports(_mdt).Single().RequestsInProgress == 1);

        var handle = client.Handle;
        client.Handle = 0;
        Assert.Equal(-Errno.EBUSY, (await client.ConnectAsync(_mdt)).Body.Status);
        release.SetResult();
        await call.FinalAsync();
        Assert.Equal(handle, (await client.ConnectAsync(_mdt)).Body.Handle);
    }

    [Fact]
    public void RecordsAreBounded()
    {
        var records = new ReplyRecords();
        for (ulong xid = 1; xid <= 1000; xid++)
        {
            records.Add(new ReplyRecord { Xid = xid, Transno = xid, Reply = new byte[xid] });
        }

        Assert.Equal(ReplyRecords.MaxRecords, records.Count);
        Assert.False(records.TryFind(1, out _));
        Assert.True(records.TryFind(1000, out var record));
        Assert.Equal(1000, record.Reply.Length);
    }
}
