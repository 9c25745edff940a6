using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Captures;
using Nacre.Testing.Rpc;
using Xunit.Abstractions;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Damaged messages end in an error reply or in nothing, and never reach further than the handler.</summary>
public class HostileInputTests(ITestOutputHelper output)
{
    /// <summary>Messages sent; <c>NACRE_FUZZ_ROUNDS</c> in the environment asks for more of them in a run by hand.</summary>
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("NACRE_FUZZ_ROUNDS"), out var rounds) ? rounds : 100_000;

    private static readonly PeerId Peer = new(Nid.Parse("10.77.0.12@tcp"));

    [Fact]
    public async Task MutatedRequestsDoNoHarm()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var requests = CaptureReader.Names.SelectMany(CaptureReader.Messages)
            .Where(message => message.IsRpc && message.Body.Type == MessageType.Request && Portal.ReplyOf(message.Portal) != 0
                && message.Portal != Portal.LdlmCallbackRequest)
            .DistinctBy(message => (message.Body.Opcode, message.Payload.Length))
            .ToList();
        var log = new LogRecorder<RpcServer>();
        var lnet = new LoopLNet(RpcNetwork.ServerNid);
        var time = new FakeTimeProvider();
        await using var server = new RpcServer(lnet, new RpcServerOptions(), time, log);
        var targets = new[] { NewTarget(TargetKind.Mgs), NewTarget(TargetKind.Mdt), NewTarget(TargetKind.Ost) };
        foreach (var target in targets)
        {
            server.AddTarget(target);
        }

        var handles = new ulong[targets.Length];
        for (var i = 0; i < Rounds; i++)
        {
            if (i % 50 == 0)
            {
                handles = [.. targets.Select(target => Connect(server, lnet, target))];
            }

            var captured = requests[random.Next(requests.Count)];
            var message = Mutate(captured, random, handles[random.Next(handles.Length)]);
            lnet.Deliver(Peer, captured.Portal, (ulong)random.NextInt64(1, 1000), message);
            if (i % 100 == 0)
            {
                time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Error);
        // Otherwise the messages are too broken to test anything.
        Assert.All(targets, target => Assert.InRange(server.Counters(target).Requests, Rounds / 100, Rounds));
        // Clients that behave are not disturbed.
        var before = lnet.Sent;
        foreach (var target in targets)
        {
            Connect(server, lnet, target);
        }

        Assert.Equal(before + targets.Length, lnet.Sent);
        Assert.Equal(0, server.WaitingBytes);
    }

    /// <summary>Reads everything a handler may read, in every way, and lets the exceptions of the readers pass.</summary>
    private static FakeTarget NewTarget(TargetKind kind)
    {
        var target = new FakeTarget(kind, kind.ToString());
        for (uint opcode = 1; opcode < 1200; opcode++)
        {
            if (Opcode.VersionOf(opcode) != 0)
            {
                target.On(opcode, ReadAll, modifies: opcode % 2 == 0);
            }
        }

        return target;
    }

    private static void ReadAll(RpcRequest request)
    {
        var sum = 0;
        for (var i = 0; i < request.BufferCount + 2; i++)
        {
            sum += request.Buffer(i).Length + request.BufferMemory(i).Length;
            foreach (var b in request.Buffer(i))
            {
                sum += b;
            }
        }

        request.StartReply(sum % 300, 8);
        request.Transno = (ulong)(sum % 2);
        request.ShrinkReply(1, request.ReplyLength(1) / 2);
        if (sum % 3 == 0)
        {
            _ = request.Get<ObdStatfs>(1).Blocks;
            _ = request.GetString(3);
            _ = request.GetArray<LuFid>(2);
        }
    }

    /// <summary>A fresh client, so that what the last ones ruined does not protect the server from the next messages.</summary>
    private static ulong Connect(RpcServer server, LoopLNet lnet, FakeTarget target)
    {
        var message = new MessageBuilder();
        message.Start([39, 39, 8, 192, 0]);
        ref var body = ref message.Body;
        body.Type = MessageType.Request;
        body.Opcode = target.Kind switch { TargetKind.Mgs => Opcode.MgsConnect, TargetKind.Mdt => Opcode.MdsConnect, _ => Opcode.OstConnect };
        body.Version = ServiceVersion.Obd | ServiceVersion.Message;
        body.OperationFlags = ConnectOperationFlags.Initial;
        body.ConnectionCount = 1;
        var uuid = Guid.NewGuid().ToString();
        ObdUuid.Write(target.Uuid, message.Buffer(1));
        ObdUuid.Write(uuid, message.Buffer(2));
        message.Get<ObdConnectData>(4).Flags = ConnectFlags.Full20 | ConnectFlags.At | ConnectFlags.Multimodrpcs | ConnectFlags.Flags2;
        message.Get<ObdConnectData>(4).Flags2 = ConnectFlags2.RepMbits | ConnectFlags2.IncXid;
        lnet.Deliver(Peer, ScriptedClient.DefaultPortal(target.Kind), 1, message.Finish());
        return server.Exports(target).Single(export => export.ClientUuid == uuid).Handle;
    }

    private static byte[] Mutate(CapturedMessage captured, Random random, ulong handle)
    {
        byte[] bytes = [.. captured.Payload];
        var body = MessageLayout.HeaderSize(captured.Message.BufferCount);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(body), handle);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(body + 64), (uint)random.Next(1, 3));
        if (random.Next(4) != 0)
        {
            // Most real requests name a later xid as answered than the made up ones have.
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(body + 24), 0);
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            Damage(bytes, random);
        }

        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
    }

    private static void Damage(byte[] bytes, Random random)
    {
        // The header and the body decide most, so they get most.
        var position = random.Next(2) == 0 ? random.Next(Math.Min(bytes.Length, 260)) : random.Next(bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                bytes[position] = (byte)random.Next(256);
                break;
            case 1:
                bytes[position] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                bytes.AsSpan(position, Math.Min(bytes.Length - position, random.Next(1, 9))).Fill((byte)(random.Next(2) * 255));
                break;
            default:
                var aligned = position & ~3;
                if (aligned + 4 <= bytes.Length)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(aligned), (uint)random.Next(0, 2000));
                }

                break;
        }
    }
}
