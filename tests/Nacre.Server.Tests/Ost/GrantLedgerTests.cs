using Nacre.PtlRpc.Wire;
using Nacre.Server.Ost;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

public class GrantLedgerTests
{
    private const int Brw = 1 << 20, Tax = 24 << 10, Block = 4096;

    private static NiobufRemote Niobuf(long offset, int length, bool fromGrant) => new()
    {
        Offset = (ulong)offset,
        Length = (uint)length,
        Flags = NiobufFlags.Async | (fromGrant ? NiobufFlags.FromGrant : 0),
    };

    private static bool Begin(GrantLedger ledger, ClientGrant client, ulong announced, NiobufRemote niobuf, out GrantUse use)
    {
        var demand = new WriteDemand { Announced = (long)Math.Min(announced, uint.MaxValue) };
        ledger.Add(ref demand, niobuf, granted: true);
        return ledger.TryBeginWrite(client, demand, out use);
    }

    private static ulong Cost(int length) => (ulong)((length + Block - 1) / Block * Block + Tax);

    [Fact]
    public async Task A_new_client_gets_a_unit_and_a_returning_one_what_it_claims()
    {
        await using var store = Stores.Over(new MemoryObjectFiles(1L << 34), capacity: 1L << 33);
        var ledger = new GrantLedger(store, 4 << 20, Tax);
        Assert.Equal(2 * ((4 << 20) + Tax), ledger.Unit);
        var client = new ClientGrant();
        Assert.Equal(ledger.Unit, ledger.Connect(client, 128 << 20, isNew: true));
        Assert.Equal(32u << 20, ledger.Connect(client, 32 << 20, isNew: false));
        Assert.Equal(32u << 20, ledger.Connect(client, 1 << 20, isNew: false));
        ledger.Shrink(client, 30 << 20);
        Assert.Equal(2 << 20, client.Granted);
        ledger.Shrink(client, ulong.MaxValue);
        Assert.Equal(0, ledger.Promised);
    }

    [Fact]
    public async Task Two_stores_of_one_disk_do_not_promise_the_same_space()
    {
        var disk = new MemoryObjectFiles(64 << 20);
        await using var first = Stores.Over(disk);
        await using var second = Stores.Over(disk);
        var ledgers = new[] { new GrantLedger(first, Brw, Tax), new GrantLedger(second, Brw, Tax) };
        for (int i = 0; i < 200; i++) ledgers[i % 2].Connect(new ClientGrant(), uint.MaxValue, isNew: true);
        Assert.InRange(ledgers[0].Promised + ledgers[1].Promised, 32 << 20, 64 << 20);
        ledgers[0].Connect(new ClientGrant(), uint.MaxValue, isNew: false);
        Assert.InRange(ledgers[0].Promised + ledgers[1].Promised, 60 << 20, 64 << 20);
    }

    [Fact]
    public async Task Without_grant_a_full_target_refuses_what_it_has_no_room_for()
    {
        await using var store = Stores.Over(new MemoryObjectFiles(1L << 30), capacity: 1 << 20);
        var ledger = new GrantLedger(store, Brw, Tax);
        var client = new ClientGrant();
        Assert.False(Begin(ledger, client, 0, Niobuf(0, 2 << 20, false), out _));
        Assert.True(Begin(ledger, client, 0, Niobuf(0, 512 << 10, false), out var use));
        Assert.False(Begin(ledger, client, 0, Niobuf(0, 512 << 10, false), out _));
        // A flag without the grant to back it is worth nothing.
        Assert.False(Begin(ledger, client, ulong.MaxValue, Niobuf(0, 512 << 10, true), out _));
        Assert.True(ledger.TryBeginWrite(client, default, out var overwrite));
        ledger.EndWrite(use);
        ledger.EndWrite(overwrite);
        Assert.Equal(0, ledger.Promised);
    }

    [Fact]
    public async Task Covered_data_costs_its_blocks_however_little_is_announced()
    {
        await using var store = Stores.Over(new MemoryObjectFiles(1L << 30), capacity: 1 << 20);
        var ledger = new GrantLedger(store, Brw, Tax);
        var client = new ClientGrant();
        ledger.Connect(client, 256 << 10, isNew: false);
        Assert.Equal(256 << 10, client.Granted);
        Assert.True(Begin(ledger, client, 1, Niobuf(0, 512 << 10, true), out var use));
        Assert.Equal((0, 512 << 10), (client.Granted, use.Bytes));
        Assert.False(Begin(ledger, client, 1, Niobuf(0, 1 << 20, true), out _));
        ledger.GiveBack(client, use);
        Assert.Equal((256 << 10, 256 << 10), (client.Granted, ledger.Promised));
    }

    [Fact]
    public async Task A_closed_client_holds_nothing_and_gets_nothing()
    {
        await using var store = Stores.Over(new MemoryObjectFiles(1L << 30));
        var ledger = new GrantLedger(store, Brw, Tax);
        var client = new ClientGrant();
        ledger.Connect(client, 1 << 20, isNew: true);
        Assert.True(Begin(ledger, client, Cost(Block), Niobuf(0, Block, true), out var use));
        ledger.Release(client);
        Assert.Equal(0u, ledger.GiveMore(client, 0, 1 << 30));
        ledger.EndWrite(use);
        Assert.Equal((0, 0), (ledger.Promised, ledger.DirtyOrPending));
    }

    /// <summary>
    /// Clients that keep their own account as the protocol says, over a target that fills up: what they hold is always backed,
    /// data under grant is always stored, and the capacity is never exceeded.
    /// </summary>
    [Fact]
    public async Task Promised_data_is_always_accepted()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        const long Capacity = 24 << 20;
        await using var store = Stores.Over(new MemoryObjectFiles(64 << 20), Capacity);
        var ledger = new GrantLedger(store, Brw, Tax);
        var clients = new List<Client>();
        for (int step = 0; step < 4000; step++)
        {
            switch (random.Next(20))
            {
                case 0 when clients.Count < 6:
                    var joined = new Client();
                    joined.Available = ledger.Connect(joined.Grant, (uint)random.Next(1 << 27), isNew: true);
                    clients.Add(joined);
                    break;
                case 1 when clients.Count > 0:
                    var left = clients[random.Next(clients.Count)];
                    ledger.Release(left.Grant);
                    clients.Remove(left);
                    break;
                case 2 when clients.Count > 0:
                    var back = clients[random.Next(clients.Count)];
                    back.Available = ledger.Connect(back.Grant, (uint)back.Available, isNew: false);
                    break;
                case 3:
                    await store.DestroyAsync(Stores.FidOf((uint)step + 10_000), default);
                    break;
                default:
                    if (clients.Count > 0) Write(random, store, ledger, clients[random.Next(clients.Count)], (uint)step + 100, $"seed {seed} step {step}");
                    break;
            }
            Assert.True(clients.All(c => c.Available <= c.Grant.Granted), $"seed {seed} step {step}");
            Assert.True(clients.Sum(c => c.Grant.Granted) == ledger.Promised, $"seed {seed} step {step}");
            Assert.True(store.Space().Used + ledger.Promised <= Capacity, $"seed {seed} step {step}");
        }
    }

    private static void Write(Random random, IObjectStore store, GrantLedger ledger, Client client, uint step, string where)
    {
        int length = random.Next(1, 100_000);
        long used = (long)Cost(length);
        bool fromGrant = client.Available >= used;
        client.Available -= fromGrant ? used : 0;
        int dropped = random.Next(4) == 0 ? (int)Math.Min(client.Available, random.Next(50_000)) : 0;
        client.Available -= dropped;

        ledger.Announce(client.Grant, new Obdo { Dropped = (uint)dropped, Dirty = (ulong)used });
        bool taken = Begin(
            ledger, client.Grant, fromGrant ? (ulong)used : 0, Niobuf(0, length, fromGrant), out var use);
        Assert.True(taken || !fromGrant, where);
        if (!taken) return;
        using (var stored = store.Open(Stores.FidOf(step % 200 + 41))) stored.WriteAll(random.Next(8) * Block, new byte[length]);
        ledger.EndWrite(use);
        client.Available += ledger.GiveMore(client.Grant, (ulong)client.Available, random.Next(32 << 20));
    }

    private sealed class Client
    {
        public ClientGrant Grant { get; } = new();
        public long Available;
    }
}
