using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>One callback a client got.</summary>
internal sealed record Received(uint Opcode, LdlmRequest Request, byte[] Lvb, bool HasLvb)
{
    public ulong ClientHandle => Request.Handle0;

    public ulong ServerHandle => Request.Handle1;
}

/// <summary>An answer the test gives later. What follows from it in the engine has happened when the call returns.</summary>
internal sealed class LateAnswer
{
    private readonly TaskCompletionSource<CallbackReply> _source = new();

    public ValueTask<CallbackReply> Task => new(_source.Task);

    public void Give(int status) => WithoutContext(() => _source.SetResult(new CallbackReply(status, default)));

    public void Fail(Exception cause) => WithoutContext(() => _source.SetException(cause));

    // The test runner's context would send continuations to another thread.
    private static void WithoutContext(Action action)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            action();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}

/// <summary>A client that records callbacks and answers 0 at once, unless told otherwise.</summary>
internal sealed class FakeClient : ILockClient
{
    private readonly Lock _gate = new();
    private readonly List<Received> _received = [];

    public FakeClient(LockTable table, int number)
    {
        Number = number;
        Node = new Nid((ulong)(0x0002_0000_0a00_0001 + number));
        Owner = new LockOwner(table, this);
    }

    public int Number { get; }

    public LockOwner Owner { get; }

    /// <summary>Sends the last callback once more, as after a lost reply.</summary>
    public Action? Resend { get; private set; }

    /// <summary>How long the server would wait for the last callback's answer.</summary>
    public TimeSpan LastTimeout { get; private set; }

    /// <summary>How the client answers; null: status 0.</summary>
    public Func<Received, ValueTask<CallbackReply>>? Answer { get; set; }

    public List<string> Evictions { get; } = [];

    public Action? OnEvict { get; set; }

    public string Description => $"client {Number}";

    public Nid Node { get; set; }

    public int LvbLength { get; set; } = OstLvb.Size;

    public bool UnderstandsFlockDeadlock { get; set; } = true;

    public bool WithdrawsFlockByUnlock { get; set; }

    public Received[] All
    {
        get
        {
            lock (_gate)
                return [.. _received];
        }
    }

    public Received[] Of(uint opcode) => [.. All.Where(r => r.Opcode == opcode)];

    public int Count(uint opcode, LdlmLock l) => All.Count(r => r.Opcode == opcode && r.ClientHandle == l.ClientHandle);

    public ValueTask<CallbackReply> CallAsync(
        uint opcode, ReadOnlyMemory<byte> request, ReadOnlyMemory<byte> lvb, bool hasLvb, TimeSpan timeout, Action? resending,
        CancellationToken ct)
    {
        (Resend, LastTimeout) = (resending, timeout);
        Assert.Equal(LdlmRequest.Size, request.Length);
        var received = new Received(opcode, MemoryMarshal.Read<LdlmRequest>(request.Span), lvb.ToArray(), hasLvb);
        Assert.Equal(LdlmFlags.None, received.Request.LockFlags & ~LdlmFlags.CallbackMask);
        lock (_gate)
            _received.Add(received);
        return Answer?.Invoke(received) ?? new ValueTask<CallbackReply>(new CallbackReply(0, default));
    }

    public void Evict(string reason)
    {
        lock (_gate)
            Evictions.Add(reason);
        OnEvict?.Invoke();
    }
}

/// <summary>A lock table with clients that are driven by hand.</summary>
internal sealed class Harness : IDisposable
{
    public static readonly LdlmResId File = LdlmResId.OfFid(new LuFid(0x200000401, 5));
    public static readonly LdlmResId Flocks = LdlmResId.OfFlock(new LuFid(0x200000401, 5));

    private static ulong _handles = 0x1000;

    public Harness(LdlmOptions? options = null)
    {
        Time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        Table = new LockTable("test", FillLvb, options ?? new LdlmOptions(), Time, NullLogger.Instance);
        A = NewClient();
        B = NewClient();
        C = NewClient();
    }

    public FakeTimeProvider Time { get; }

    public LockTable Table { get; }

    public List<FakeClient> Clients { get; } = [];

    public FakeClient A { get; }

    public FakeClient B { get; }

    public FakeClient C { get; }

    /// <summary>What the object is.</summary>
    public OstLvb Lvb { get; set; }

    /// <summary>Negative errno: the object cannot be read.</summary>
    public int LvbError { get; set; }

    public void Dispose() => Table.Dispose();

    public FakeClient NewClient()
    {
        var client = new FakeClient(Table, Clients.Count);
        client.OnEvict = () => Table.Drop(client.Owner, new InvalidOperationException("evicted"));
        Clients.Add(client);
        return client;
    }

    /// <summary>An enqueue whose reply is built at once. The result's state tells how it ended.</summary>
    public LdlmLock IBits(FakeClient? client, LockMode mode, InodeBits bits, InodeBits tryBits = 0, LdlmResId? name = null) =>
        Enqueue(Make(client, mode, LdlmPolicy.IBits(bits, tryBits)), name ?? File, LockType.IBits);

    public LdlmLock Extent(
        FakeClient? client, LockMode mode, ulong start, ulong end, LockMarks marks = 0, WaitRule rule = WaitRule.Wait, ulong gid = 0)
    {
        var l = Make(client, mode, LdlmPolicy.Extent(start, end, gid));
        if (mode == LockMode.Group)
            (l.Policy.Start, l.Policy.End) = (0, LdlmPolicy.EndOfFile);
        l.Set(marks);
        return Enqueue(l, File, LockType.Extent, rule);
    }

    public LdlmLock Plain(FakeClient? client, LockMode mode) => Enqueue(Make(client, mode, default), File, LockType.Plain);

    public (EnqueueResult Result, LdlmLock Lock) Flock(
        FakeClient client, LockMode mode, ulong start, ulong end, ulong owner = 1, bool wait = true, LdlmResId? name = null)
    {
        var l = Make(client, mode, LdlmPolicy.Flock(start, end, owner, 42));
        return (Table.EnqueueFlock(l, name ?? Flocks, wait), l);
    }

    /// <summary>F_GETLK: null when nothing is in the way.</summary>
    public LdlmLockDesc? GetLk(FakeClient client, LockMode mode, ulong start, ulong end, ulong owner = 1) =>
        Table.TestFlock(Make(client, mode, LdlmPolicy.Flock(start, end, owner, 42)), Flocks);

    public LdlmLock Make(FakeClient? client, LockMode mode, LdlmPolicy policy)
    {
        var l = new LdlmLock(client?.Owner, client is null ? 0 : Interlocked.Increment(ref _handles), mode, policy);
        if (client is null)
            l.Set(LockMarks.WakesTask);
        return l;
    }

    public EnqueueResult LastResult { get; private set; }

    public LdlmReply LastReply { get; private set; }

    public LdlmLock Enqueue(LdlmLock l, LdlmResId name, LockType type, WaitRule rule = WaitRule.Wait)
    {
        if (l.Owner is not null)
            l.Set(LockMarks.ReplyOpen);
        LastResult = Table.Enqueue(l, name, type, rule);
        LastReply = default;
        if (l.Owner is not null && LastResult is EnqueueResult.Granted or EnqueueResult.Waiting)
            LastReply = Announce(l);
        return l;
    }

    public LdlmReply Announce(LdlmLock l)
    {
        var reply = default(LdlmReply);
        Assert.Equal(Announcement.Final, Table.Announce(l, l.State, ref reply));
        return reply;
    }

    public int Cancel(LdlmLock l) => Table.Cancel(l.Owner!, [l.Handle]);

    private int FillLvb(in LdlmResId resource, LockType type, Span<byte> lvb)
    {
        if (LvbError != 0)
            return LvbError;
        MemoryMarshal.Write(lvb, Lvb);
        return OstLvb.Size;
    }
}
