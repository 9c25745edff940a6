using System.Collections.Concurrent;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>
/// Clients and server tasks on many threads, clients that keep locks until they are called back. Nobody may wait for ever,
/// and nobody may use bytes another one excludes.
/// </summary>
public class StressTests(ITestOutputHelper output)
{
    private const int Pages = 8;
    private const ulong PageSize = 4096;

    [Fact]
    public async Task NoWakeupIsLostAndNoLockViolated()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        using var h = new Harness();
        var usage = new Usage();
        var users = h.Clients.Select(client => new User(h, client, usage)).ToArray();
        var tasks = new List<Task>();
        for (var i = 0; i < 9; i++)
        {
            var random = new Random(seed + i);
            var user = users[i % users.Length];
            tasks.Add(Task.Run(() => RepeatAsync(random, 300, (mode, start, end) => user.UseAsync(mode, start, end, random))));
        }
        for (var i = 0; i < 2; i++)
        {
            var random = new Random(seed - i - 1);
            tasks.Add(Task.Run(() => RepeatAsync(random, 300, (mode, start, end) => UseLocallyAsync(h, usage, mode, start, end))));
        }
        await Task.WhenAll(tasks).WaitAsync(TimeSpan.FromMinutes(3));
        foreach (var user in users)
            user.CancelAll();
        Assert.Equal((0, 0, 0), (h.Table.LockCount, h.Table.ResourceCount, h.Table.RunningTimers));
        Assert.Null(usage.Violation);
        Assert.All(h.Clients, client => Assert.Empty(client.Evictions));
    }

    private static async Task RepeatAsync(Random random, int count, Func<LockMode, int, int, Task> use)
    {
        for (var i = 0; i < count; i++)
        {
            var start = random.Next(Pages);
            await use(random.Next(3) == 0 ? LockMode.PW : LockMode.PR, start, random.Next(start, Pages));
        }
    }

    private static async Task UseLocallyAsync(Harness h, Usage usage, LockMode mode, int start, int end)
    {
        var l = h.Make(null, mode, Range(start, end));
        if (h.Table.Enqueue(l, Harness.File, LockType.Extent, WaitRule.Wait) == EnqueueResult.Waiting)
            await l.Waiter!.Task;
        await usage.UseAsync(mode, start, end);
        h.Table.Release(l);
    }

    private static LdlmPolicy Range(int start, int end) =>
        LdlmPolicy.Extent((ulong)start * PageSize, ((ulong)end * PageSize) + PageSize - 1);

    /// <summary>Who reads and who writes each page right now.</summary>
    private sealed class Usage
    {
        private readonly int[] _readers = new int[Pages];
        private readonly int[] _writers = new int[Pages];

        public string? Violation { get; private set; }

        public async Task UseAsync(LockMode mode, int start, int end)
        {
            Change(mode, start, end, 1);
            await Task.Yield();
            Change(mode, start, end, -1);
        }

        private void Change(LockMode mode, int start, int end, int by)
        {
            lock (_readers)
                for (var page = start; page <= end; page++)
                {
                    (mode == LockMode.PW ? _writers : _readers)[page] += by;
                    if (_writers[page] > 1 || (_writers[page] == 1 && _readers[page] > 0))
                        Violation = $"page {page}: {_writers[page]} writers, {_readers[page]} readers";
                }
        }
    }

    /// <summary>A client as it should be: answers at once, gives a lock up when the last use of it ends.</summary>
    private sealed class User
    {
        private readonly Harness _h;
        private readonly FakeClient _client;
        private readonly Usage _usage;
        private readonly ConcurrentDictionary<ulong, Held> _held = new();

        public User(Harness h, FakeClient client, Usage usage)
        {
            (_h, _client, _usage) = (h, client, usage);
            client.Answer = received => new ValueTask<CallbackReply>(new CallbackReply(Handle(received), default));
        }

        public async Task UseAsync(LockMode mode, int start, int end, Random random)
        {
            var l = _h.Make(_client, mode, Range(start, end));
            l.Set(LockMarks.ReplyOpen);
            var held = _held[l.ClientHandle] = new Held(l);
            var result = _h.Table.Enqueue(l, Harness.File, LockType.Extent, WaitRule.Wait);
            Assert.True(result is EnqueueResult.Granted or EnqueueResult.Waiting);
            var reply = default(LdlmReply);
            while (_h.Table.Announce(l, _h.Table.StateOf(l), ref reply) == Announcement.Changed)
                reply = default;
            if ((reply.LockFlags & LdlmFlags.BlockGranted) != 0)
                await held.Granted.Task;
            else if ((reply.LockFlags & LdlmFlags.AstSent) != 0)
                held.IsWanted = true;
            await _usage.UseAsync(mode, start, end);
            EndUse(held, random.Next(4) == 0);
        }

        public void CancelAll()
        {
            foreach (var held in _held.Values)
                EndUse(held, true);
        }

        private int Handle(Received received)
        {
            if (!_held.TryGetValue(received.ClientHandle, out var held))
                return -Errno.EINVAL;
            lock (held)
            {
                if (received.Opcode == Opcode.LdlmBlCallback || (received.Request.LockFlags & LdlmFlags.AstSent) != 0)
                    held.IsWanted = true;
            }
            if (received.Opcode == Opcode.LdlmCpCallback)
                held.Granted.TrySetResult();
            else
                ThreadPool.QueueUserWorkItem(_ => EndUse(held, false, onlyIfUnused: true));
            return 0;
        }

        private void EndUse(Held held, bool giveUp, bool onlyIfUnused = false)
        {
            lock (held)
            {
                if (held.IsGone || (onlyIfUnused && held.InUse))
                    return;
                held.InUse = false;
                if (!giveUp && !held.IsWanted)
                    return;
                held.IsGone = true;
            }
            _held.TryRemove(held.Lock.ClientHandle, out _);
            _h.Cancel(held.Lock);
        }

        private sealed class Held(LdlmLock l)
        {
            public LdlmLock Lock { get; } = l;

            public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public bool InUse { get; set; } = true;

            public bool IsWanted { get; set; }

            public bool IsGone { get; set; }
        }
    }
}
