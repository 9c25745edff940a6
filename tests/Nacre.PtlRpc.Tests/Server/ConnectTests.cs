using Nacre.PtlRpc.Tests.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

public class ConnectTests
{
    private readonly FakeTarget _mgs = new(TargetKind.Mgs, "MGS");
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");

    [Fact]
    public async Task TheGoldenConnectAndPingAreAnsweredWithTheGoldenReplies()
    {
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { MinimumEstimate = 1 }, _mgs);
        var client = await network.AddScriptedClientAsync();
        _mgs.Grants = ConnectFlags.Version | ConnectFlags.At | ConnectFlags.Full20;

        var connected = await client.Send(Portal.MgsRequest, GoldenMessages.ConnectRequest, GoldenMessages.ConnectXid).FinalAsync();
        Assert.Equal(0, connected.Offset);
        var handle = connected.Body.Handle;
        Assert.Equal(GoldenMessages.ConnectReply, WithHandle(connected.Bytes, MessageLayout.HeaderSize(2), GoldenMessages.ExportHandle));

        var ping = WithHandle(GoldenMessages.PingRequest, MessageLayout.HeaderSize(1), handle);
        var pinged = await client.Send(Portal.MgsRequest, ping, GoldenMessages.PingXid).FinalAsync();
        Assert.Equal(MessageLayout.EarlyReplySize, pinged.Offset);
        Assert.Equal(GoldenMessages.PingReply, pinged.Bytes);

        var export = Assert.Single(network.Server.Exports(_mgs));
        Assert.Equal((GoldenMessages.ClientUuid, GoldenMessages.ClientHandle, 1u), (export.ClientUuid, export.ClientHandle, export.ConnCount));
        Assert.Equal(client.Node.LocalNid, export.Peer.Nid);
    }

    [Fact]
    public async Task AnUnknownHandleIsAnsweredLikeAGenuineServer()
    {
        await using var network = await RpcNetwork.StartAsync(_mgs);
        var client = await network.AddScriptedClientAsync();

        var reply = await client.Send(Portal.MgsRequest, GoldenMessages.PingRequest, GoldenMessages.PingXid).FinalAsync();

        Assert.Equal(MessageLayout.EarlyReplySize, reply.Offset);
        Assert.Equal(1, reply.Message.BufferCount);
        Assert.Equal(
            (MessageType.Error, -Errno.ENOTCONN, 0u, 1u),
            (reply.Body.Type, reply.Body.Status, reply.Body.Timeout, reply.Body.ServiceTime));
    }

    [Fact]
    public async Task OnlyWhatWasAskedForIsGranted()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        _mdt.LastCommitted = 77;
        // The fake target sets values and leaves all flags as they are asked for; word 2 counts only with FLAGS2.
        var wanted = ScriptedClient.DefaultWanted;
        wanted.Flags2 = ConnectFlags2.Flr;

        var reply = await client.ConnectAsync(_mdt, wanted);

        ObdConnectData.Read(reply.Message.Buffer(1), out var granted);
        Assert.Equal(ObdConnectData.Size, reply.Message.BufferLength(1));
        Assert.Equal(wanted.Flags, granted.Flags);
        Assert.Equal(ConnectFlags2.None, granted.Flags2);
        Assert.Equal(ObdConnectData.Version2158, granted.Version);
        Assert.Equal(ConnectOperationFlags.Replayable, reply.Body.OperationFlags);
        Assert.Equal(77ul, reply.Body.LastCommitted);
        Assert.Equal(["connected " + client.Uuid], _mdt.Events);
    }

    [Fact]
    public async Task AReconnectKeepsTheHandle()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var handle = client.Handle;

        var reply = await client.ConnectAsync(_mdt);

        Assert.Equal(handle, reply.Body.Handle);
        Assert.Equal(ConnectOperationFlags.Replayable | ConnectOperationFlags.Reconnect, reply.Body.OperationFlags);
        Assert.Equal(["connected " + client.Uuid, "reconnected " + client.Uuid], _mdt.Events);
        Assert.Single(network.Server.Exports(_mdt));
    }

    [Fact]
    public async Task TheMgsSaysReconnectToEveryLaterAttemptAndIsNeverReplayable()
    {
        await using var network = await RpcNetwork.StartAsync(_mgs);
        var client = await network.AddScriptedClientAsync();
        client.ConnectionCount = 2;

        var reply = await client.ConnectAsync(_mgs);

        Assert.Equal(ConnectOperationFlags.Reconnect, reply.Body.OperationFlags);
    }

    [Fact]
    public async Task ATargetIsFoundByItsBareNameToo()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await network.AddScriptedClientAsync();
        var connect = client.NewConnect(_ost);
        ObdUuid.Write("demo01-OST0000", connect.Buffer(1));

        Assert.Equal(0, (await client.CallAsync(Portal.OstRequest, connect)).Body.Status);
    }

    public static TheoryData<string, int> Refusals => new()
    {
        { "unknown target", Errno.ENODEV },
        { "target without NUL", Errno.EINVAL },
        { "empty target", Errno.EINVAL },
        { "client without NUL", Errno.EINVAL },
        { "empty client", Errno.EINVAL },
        { "opcode of another kind", Errno.ENODEV },
        { "service version", Errno.EINVAL },
        { "no FULL20", Errno.EPROTO },
        { "lib client", Errno.EPROTO },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task BadConnectsAreRefused(string what, int errno)
    {
        await using var network = await RpcNetwork.StartAsync(_mdt, _ost);
        var client = await network.AddScriptedClientAsync();
        var connect = client.NewConnect(_mdt);
        switch (what)
        {
            case "unknown target": ObdUuid.Write("other-MDT0000_UUID", connect.Buffer(1)); break;
            case "target without NUL": connect.Buffer(1).Fill((byte)'x'); break;
            case "empty target": connect.Buffer(1).Clear(); break;
            case "client without NUL": connect.Buffer(2).Fill((byte)'x'); break;
            case "empty client": connect.Buffer(2).Clear(); break;
            case "opcode of another kind": connect.Body.Opcode = Opcode.OstConnect; break;
            case "service version": connect.Body.Version = ServiceVersion.Mds | ServiceVersion.Message; break;
            case "no FULL20": connect.Get<ObdConnectData>(4).Flags = ConnectFlags.At; break;
            case "lib client": connect.Body.OperationFlags = ConnectOperationFlags.LibClient; break;
        }

        var reply = await client.CallAsync(Portal.MdsRequest, connect);

        Assert.Equal((MessageType.Error, -errno), (reply.Body.Type, reply.Body.Status));
        Assert.Equal(1, reply.Message.BufferCount);
        Assert.Empty(network.Server.Exports(_mdt));
    }

    [Theory]
    [InlineData(new[] { 39, 39 })]
    [InlineData(new[] { 39, 39, 7, 192 })]
    [InlineData(new[] { 39, 39, 8, 71 })]
    public async Task AConnectNeedsItsHandleAndData(int[] lengths)
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        var connect = client.NewRequest(Opcode.MdsConnect, lengths);
        ObdUuid.Write(_mdt.Uuid, connect.Buffer(1));
        ObdUuid.Write(client.Uuid, connect.Buffer(2));

        Assert.Equal(-Errno.EPROTO, (await client.CallAsync(Portal.MdsRequest, connect)).Body.Status);
    }

    [Fact]
    public async Task ATargetMayRefuse()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        _mdt.OnNegotiate = (_, _) => throw new RpcException(Errno.EAGAIN);

        Assert.Equal(-Errno.EAGAIN, (await client.ConnectAsync(_mdt)).Body.Status);
        _mdt.OnNegotiate = null;
        Assert.Equal(0, (await client.ConnectAsync(_mdt)).Body.Status);
    }

    [Fact]
    public async Task ThereIsRoomForSoManyClientsOnly()
    {
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { MaxExportsPerTarget = 1 }, _mdt);
        var (first, second) = (await network.AddScriptedClientAsync(), await network.AddScriptedClientAsync());
        await first.ConnectAsync(_mdt);

        Assert.Equal(-Errno.EAGAIN, (await second.ConnectAsync(_mdt)).Body.Status);
        await first.CallAsync(Portal.MdsRequest, first.NewRequest(Opcode.MdsDisconnect));
        Assert.Equal(0, (await second.ConnectAsync(_mdt)).Body.Status);
    }

    [Fact]
    public async Task ADisconnectForgetsTheClient()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var old = client.Handle;

        Assert.Equal(0, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.MdsDisconnect))).Body.Status);
        Assert.Empty(network.Server.Exports(_mdt));
        Assert.Equal(-Errno.ENOTCONN, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing))).Body.Status);

        // An idle client comes back with INITIAL, no handle, and a counter that goes on (02 section 9.8).
        client.Handle = 0;
        var reply = await client.ConnectAsync(_mdt);
        Assert.Equal(ConnectOperationFlags.Replayable, reply.Body.OperationFlags);
        Assert.NotEqual(old, reply.Body.Handle);
        Assert.Equal(
            ["connected " + client.Uuid, "Disconnected " + client.Uuid, "connected " + client.Uuid], _mdt.Events);
    }

    [Fact]
    public async Task ARemovedTargetClosesItsExports()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt, _ost);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        await network.Server.RemoveTarget(_mdt);

        Assert.Contains("TargetStopped " + client.Uuid, _mdt.Events);
        Assert.Equal(-Errno.ENOTCONN, (await client.CallAsync(Portal.MdsRequest, client.NewRequest(Opcode.ObdPing))).Body.Status);
        Assert.Equal(-Errno.ENODEV, (await client.ConnectAsync(_mdt)).Body.Status);
    }

    /// <summary>Each first connect of a genuine mount gets the reply the genuine server gave, but for handle, values and estimates.</summary>
    [Fact]
    public async Task CapturedConnectsAreAccepted()
    {
        var connects = CaptureReader.Names.SelectMany(CaptureReader.Rpcs)
            .Where(rpc => Opcode.IsConnect(rpc.Request.Body.Opcode) && rpc.Reply is { } reply && reply.Body.Status == 0
                && (rpc.Request.Body.OperationFlags & ConnectOperationFlags.Initial) != 0)
            .ToList();
        Assert.NotEmpty(connects);
        foreach (var rpc in connects)
        {
            var name = rpc.Request.Message.Buffer(1);
            var uuid = System.Text.Encoding.ASCII.GetString(name).TrimEnd('\0');
            var kind = rpc.Request.Body.Opcode switch
            {
                Opcode.MgsConnect => TargetKind.Mgs,
                Opcode.MdsConnect => TargetKind.Mdt,
                _ => TargetKind.Ost,
            };
            var target = new FakeTarget(kind, uuid);
            ObdConnectData.Read(rpc.Reply!.Message.Buffer(1), out var genuine);
            (target.Grants, target.Grants2) = (genuine.Flags, genuine.Flags2);
            await using var network = await RpcNetwork.StartAsync(target);
            var client = await network.AddScriptedClientAsync();

            var reply = await client.Send(rpc.Request.Portal, rpc.Request.Payload, rpc.Request.MatchBits).FinalAsync();

            ObdConnectData.Read(reply.Message.Buffer(1), out var granted);
            Assert.Equal((genuine.Flags, genuine.Flags2, genuine.Version), (granted.Flags, granted.Flags2, granted.Version));
            Assert.Equal(rpc.Reply.Body.OperationFlags, reply.Body.OperationFlags);
            Assert.Equal(rpc.Reply.Offset, (uint)reply.Offset);
            Assert.Equal(rpc.Reply.Payload.Length, reply.Bytes.Length);
        }
    }

    private static byte[] WithHandle(byte[] message, int offset, ulong handle)
    {
        byte[] copy = [.. message];
        BitConverter.TryWriteBytes(copy.AsSpan(offset), handle);
        return copy;
    }
}
