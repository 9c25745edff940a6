using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>The checks of 02 section 6.10 and what becomes of requests that pass them.</summary>
public class RequestTests
{
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");

    public static TheoryData<string, int, bool> Answers => new()
    {
        { "unknown opcode", Errno.ENOTSUPP, true },
        { "opcode of no target", Errno.ENOTSUPP, true },
        { "service version", Errno.EINVAL, true },
        { "short structure", Errno.EPROTO, true },
        { "structure missing", Errno.EPROTO, true },
        { "handler fails", Errno.ENOENT, false },
        { "handler fails as RPC", Errno.EPROTO, true },
        { "handler fails as RPC with ENOSPC", Errno.ENOSPC, false },
        { "handler throws", Errno.EIO, true },
        { "replay", Errno.ENODEV, true },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task BadRequestsAreAnswered(string what, int errno, bool asError)
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        _mdt.On(Opcode.MdsGetattr, request => throw (what switch
        {
            "handler fails" => new ErrnoException(Errno.ENOENT),
            "handler fails as RPC" => new RpcException(Errno.EPROTO, rpcLevel: true),
            "handler fails as RPC with ENOSPC" => new RpcException(Errno.ENOSPC, rpcLevel: true),
            _ => new InvalidOperationException("a mistake"),
        }));
        var message = client.NewRequest(Opcode.MdsGetattr, 216, 0);
        switch (what)
        {
            case "unknown opcode": message.Body.Opcode = 999; break;
            case "opcode of no target": message.Body.Opcode = Opcode.MdsSync; break;
            case "service version": message.Body.Version = ServiceVersion.Ost | ServiceVersion.Message; break;
            case "short structure": message.Shrink(1, 215); break;
            case "structure missing": message = client.NewRequest(Opcode.MdsGetattr); break;
            case "replay": message.Body.Transno = 5; break;
        }

        var reply = await client.CallAsync(Portal.MdsReadPage, message);

        Assert.Equal(-errno, reply.Body.Status);
        Assert.Equal(asError ? MessageType.Error : MessageType.Reply, reply.Body.Type);
        Assert.Equal(1, reply.Message.BufferCount);
        Assert.Equal(what == "replay" ? 0 : 1, network.Server.Exports(_mdt).Count);
    }

    [Fact]
    public async Task AReplyThatCannotBeBuiltIsAnErrorAndLeavesNothingBehind()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        _mdt.On(Opcode.MdsGetattr, request => request.StartReply(216, 0, 0, 0, 0, 0));
        _mdt.LastCommittedFails = true;

        var reply = await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsGetattr, 216, 0));

        Assert.Equal((-Errno.EIO, MessageType.Error), (reply.Body.Status, reply.Body.Type));
        Assert.Equal(0, Assert.Single(network.Server.Exports(_mdt)).RequestsInProgress);
        _mdt.LastCommittedFails = false;
        reply = await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsGetattr, 216, 0));
        Assert.Equal(0, reply.Body.Status);
    }

    public static TheoryData<string> Drops =>
    [
        "no message", "flavour", "message version", "reply", "old connection", "no timeout", "other sender part",
    ];

    [Theory]
    [MemberData(nameof(Drops))]
    public async Task SomeRequestsAreDroppedInSilence(string what)
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        await client.ConnectAsync(_mdt);
        var message = client.NewRequest(Opcode.ObdPing);
        switch (what)
        {
            case "no message": message.Header.Magic = 1; break;
            case "flavour": message.Header.SecurityFlavour = 1; break;
            case "message version": message.Body.Version = ServiceVersion.Obd | 4; break;
            case "reply": message.Body.Type = MessageType.Reply; break;
            case "old connection": message.Body.ConnectionCount--; break;
            case "no timeout": message.Body.Timeout = 0; break;
            case "other sender part": message.Header.SecurityFlavour = (uint)SecurityPart.Ost << 24; break;
        }

        var dropped = client.Send(Portal.MdsRequest, message, client.NextXid());
        // One connection, one order: what comes before the ping has been looked at when the ping is answered.
        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing))).Body.Status);
        Assert.Empty(dropped.Replies);
    }

    [Fact]
    public async Task ARequestWithoutTheFlagIsAnsweredAtOffset0()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        client.Flags = MessageFlags.ChecksumIncompat18;
        client.Timeout = 0;

        var reply = await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing));

        Assert.Equal((0, 0), (reply.Offset, reply.Body.Status));
    }

    [Fact]
    public async Task AHandlerBuildsItsReply()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        _mdt.LastCommitted = 41;
        _mdt.On(Opcode.MdsGetattr, request =>
        {
            Assert.Equal("a", System.Text.Encoding.ASCII.GetString(request.Body.JobId[..1]));
            request.StartReply(216, 100, 0, 0, 0, 0);
            request.ReplyBuffer(2).Fill(7);
            request.ShrinkReply(2, 9);
            request.Reply<ulong>(1) = 5;
            request.Status = 301;
            request.Transno = 42;
            request.PreVersions[1] = 9;
        });
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var message = client.NewRequest(Opcode.MdsGetattr, 216, 0);
        message.Body.JobId[0] = (byte)'a';

        var reply = await client.CallAsync(Portal.MdsReadPage, message);

        Assert.Equal(MessageLayout.EarlyReplySize, reply.Offset);
        Assert.Equal(7, reply.Message.BufferCount);
        Assert.Equal(5ul, BitConverter.ToUInt64(reply.Message.Buffer(1)));
        Assert.Equal(Enumerable.Repeat((byte)7, 9), reply.Message.Buffer(2).ToArray());
        Assert.Equal((301, 42ul, 41ul, 9ul), (reply.Body.Status, reply.Body.Transno, reply.Body.LastCommitted, reply.Body.PreVersions[1]));
        Assert.Equal((1u, 5u), (reply.Body.ServiceTime, reply.Body.Timeout));
    }

    [Fact]
    public async Task NoTransnoLeavesWithAnError()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        _mdt.On(Opcode.MdsGetattr, request => (request.Status, request.Transno) = (-Errno.ENOENT, 42));
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        var reply = await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsGetattr, 216, 0));

        Assert.Equal((MessageType.Reply, -Errno.ENOENT, 0ul), (reply.Body.Type, reply.Body.Status, reply.Body.Transno));
    }

    [Fact]
    public async Task OnlyCancelsGoToTheCancelPortal()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        _mdt.LastCommitted = 7;
        _mdt.On(Opcode.LdlmCancel, _ => { });
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        Assert.Equal(-Errno.EINVAL, (await client.CallAsync(Portal.LdlmCancelRequest, client.NewRequest(Opcode.ObdPing))).Body.Status);
        var cancelled = await client.CallAsync(Portal.LdlmCancelRequest, client.NewRequest(Opcode.LdlmCancel, 104));
        Assert.Equal((0, 0ul), (cancelled.Body.Status, cancelled.Body.LastCommitted));
    }

    [Theory]
    [InlineData(Portal.OstIo, 0)]
    [InlineData(Portal.OstRequest, Errno.ENOTSUPP)]
    public async Task ObjectDataHasAPortalOfItsOwn(int portal, int errno)
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        _ost.On(Opcode.OstRead, _ => { });
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_ost);

        var reply = await client.CallAsync(portal, client.NewRequest(Opcode.OstRead, 208, 24, 16, 0, 0));

        Assert.Equal(-errno, reply.Body.Status);
    }

    [Fact]
    public async Task AnExportOfAnotherKindFindsNothingOnThePortal()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt, _ost);
        _ost.On(Opcode.OstSync, _ => { });
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_ost);

        Assert.Equal(
            -Errno.ENOTSUPP, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.OstSync, 208, 0))).Body.Status);
    }

    [Fact]
    public async Task AReadOnlyClientChangesNothing()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        _mdt.On(Opcode.MdsReint, _ => { }, modifies: true).On(Opcode.MdsClose, _ => { }, modifies: true).On(Opcode.MdsGetattr, _ => { });
        var client = await network.AddScriptedClientAsync();
        var wanted = ScriptedClient.DefaultWanted;
        wanted.Flags |= ConnectFlags.Rdonly;
        await client.ConnectAsync(_mdt, wanted);

        var reint = await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.MdsReint, 136));
        Assert.Equal((MessageType.Reply, -Errno.EROFS), (reint.Body.Type, reint.Body.Status));
        Assert.Equal(0, (await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsClose, 24, 136, 0))).Body.Status);
        Assert.Equal(0, (await client.CallAsync(Portal.MdsReadPage, client.NewRequest(Opcode.MdsGetattr, 216, 0))).Body.Status);
    }

    [Fact]
    public async Task XidsUpToLastXidAreRefused()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var (old, next) = (client.NextXid(), client.NextXid());
        var ping = client.NewRequest(Opcode.ObdPing);
        ping.Body.LastXid = next - 1;

        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, ping, next)).Body.Status);
        Assert.Equal(-Errno.EPROTO, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing), old)).Body.Status);

        // A connect forgets it (02 section 3.7): what is resent afterwards may be older.
        await client.ConnectAsync(_mdt);
        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing), old)).Body.Status);
    }

    [Fact]
    public async Task RequestsOfOneClientAreLimitedButCancelsPass()
    {
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { MaxRequestsPerExport = 2 }, _mdt);
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.LdlmEnqueue, async _ => await release.Task).On(Opcode.LdlmCancel, _ => { });
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        var calls = Enumerable.Range(0, 3)
            .Select(_ => client.Send(Portal.MdsRequest, client.NewRequest(Opcode.LdlmEnqueue, 104), client.NextXid()))
            .ToList();
        Assert.Equal(0, (await client.CallAsync(Portal.LdlmCancelRequest, client.NewRequest(Opcode.LdlmCancel, 104))).Body.Status);
        release.SetResult();

        await calls[0].FinalAsync();
        await calls[1].FinalAsync();
        await Eventually.TrueAsync(() => network.Server.Exports(_mdt).Single().RequestsInProgress == 0);
        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing))).Body.Status);
        Assert.False(calls[2].IsAnswered);
    }

    [Fact]
    public async Task WaitingRequestsAreLimitedInBytes()
    {
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { MaxWaitingBytes = 200_000 }, _mdt);
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.MdsReint, async _ => await release.Task, modifies: true);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        var calls = Enumerable.Range(0, 2).Select(_ => SendLarge(client)).ToList();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 100_000);
        var tooMuch = SendLarge(client);
        var ping = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing), client.NextXid());
        await Eventually.TrueAsync(() => network.Server.Counters(_mdt).Dropped == 2);
        release.SetResult();
        await calls[0].FinalAsync();
        await calls[1].FinalAsync();
        Assert.False(tooMuch.IsAnswered || ping.IsAnswered);
        await Eventually.TrueAsync(() => network.Server.WaitingBytes == 0);
    }

    private static ScriptedCall SendLarge(ScriptedClient client) =>
        client.Send(Portal.MdsRequest, client.NewRequest(Opcode.MdsReint, 136, 60_000), client.NextXid());
}
