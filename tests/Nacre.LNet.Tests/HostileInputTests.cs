using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;
using Xunit.Abstractions;

namespace Nacre.LNet.Tests;

/// <summary>
/// No bytes disturb the node or its other peers (01 sections 3.3 and 10.2). The seed is printed; put it into the environment
/// as NACRE_FUZZ_SEED to repeat a run, and NACRE_FUZZ_ROUNDS for a longer one.
/// </summary>
public class HostileInputTests(ITestOutputHelper output)
{
    private const int Portal = 26;

    [Fact]
    public async Task NoiseToTheAcceptor() => await AttackAsync(300, static (_, random) => Noise(random, random.Next(300)));

    [Fact]
    public async Task NoiseInsteadOfAHello() =>
        await AttackAsync(300, static (_, random) => [.. GoldenBytes.AcceptorRequest, .. Noise(random, random.Next(300))]);

    [Fact]
    public async Task NoiseAfterTheHello() => await AttackAsync(300, static (hello, random) =>
        [.. GoldenBytes.AcceptorRequest, .. hello, .. Noise(random, random.Next(1000))]);

    [Fact]
    public async Task MutatedMessages() => await AttackAsync(1500, static (hello, random) =>
    {
        byte[][] kinds =
        [
            GoldenBytes.Put, GoldenBytes.PingGet, GoldenBytes.Push, GoldenBytes.Keepalive, GoldenBytes.BulkGet, GoldenBytes.PushAck,
            GoldenBytes.PingReply, ScriptedPeer.Put(Portal, new byte[5000], zcCookie: 7),
        ];
        var stream = new List<byte>();
        for (var i = random.Next(1, 20); i > 0; i--) stream.AddRange(kinds[random.Next(kinds.Length)]);
        var bytes = stream.ToArray();
        for (var i = random.Next(4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return [.. GoldenBytes.AcceptorRequest, .. hello, .. bytes];
    });

    [Fact]
    public async Task MutatedHellos() => await AttackAsync(500, static (hello, random) =>
    {
        byte[] bytes = [.. GoldenBytes.AcceptorRequest, .. hello, .. GoldenBytes.PingGet];
        for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(AcceptorRequest.Size + KsockHello.Size)] ^= (byte)(1 << random.Next(8));
        return bytes;
    });

    /// <summary>Many attackers, each with its own bytes, beside a client whose pings are answered all the while.</summary>
    private async Task AttackAsync(int rounds, Func<byte[], Random, byte[]> attack)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("NACRE_FUZZ_SEED"), out var given) ? given : Environment.TickCount;
        if (int.TryParse(Environment.GetEnvironmentVariable("NACRE_FUZZ_ROUNDS"), out var asked)) rounds = asked;
        output.WriteLine($"seed {seed}, {rounds} rounds");
        var random = new Random(seed);
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var pair = await NodePair.StartAsync(transport, server: o => o with { MaxPeers = 50 });
        pair.Server.Serve(Portal, new Recorder());
        for (var round = 0; round < rounds; round++)
        {
            var hello = ScriptedPeer.Hello((ConnectionType)random.Next(4));
            BitConverter.TryWriteBytes(hello.AsSpan(8), Nid.Parse($"10.0.0.{random.Next(1, 200)}").Value);
            var attacker = await ScriptedPeer.DialAsync(transport, pair.Server.ListeningAt!);
            try
            {
                await attacker.SendAsync(attack(hello, random));
            }
            catch (IOException)
            {
                // Thrown out before it was done.
            }

            if (random.Next(2) == 0) attacker.FinishSending();
            else attacker.Dispose();
            if (round % 50 == 0)
                Assert.Equal(NodePair.ServerNid, (await pair.Client.PingAsync(pair.ServerId, TimeSpan.FromSeconds(20), default).WithinBounds()).PrimaryNid);
        }

        // All that is left are attackers inside a message that will not end, or that never said anything; half-closed ones
        // are gone.
        await Wait.UntilAsync(() => pair.Server.HandshakeCount == 0, "the handshakes to end");
        await Wait.UntilAsync(() => pair.Server.ConnectionCount == 3, "the attackers to go");
        Assert.Equal([pair.ClientId], pair.Server.Peers);
    }

    private static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
