using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>
/// The engine beside <see cref="GrantModel"/>: every sequence of a few operations over a small domain, then long random
/// ones. After each operation the states, what is held, and who was called back must agree; at the end every waiter must
/// get its lock merely by holders giving up what they were asked for.
/// </summary>
public class GrantModelTests(ITestOutputHelper output)
{
    private const ulong Page = 4096;
    private const ulong Eof = ulong.MaxValue;

    [Fact]
    public void IBitsEverySequence()
    {
        Request[] requests =
        [
            .. from mode in new[] { LockMode.PR, LockMode.CW, LockMode.EX }
               from bits in new ulong[] { 1, 2, 3 }
               select new Request(0, mode, bits, 0),
            new Request(1, LockMode.CR, 1, 2),
            new Request(-1, LockMode.EX, 2, 0),
            new Request(-1, LockMode.CW, 1, 2),
        ];
        Exhaust(LockType.IBits, requests, 4);
    }

    [Fact]
    public void IBitsEverySequenceOfFew()
    {
        Request[] requests =
        [
            new Request(0, LockMode.PR, 1, 0),
            new Request(0, LockMode.EX, 1, 0),
            new Request(0, LockMode.EX, 3, 0),
            new Request(-1, LockMode.CW, 2, 1),
        ];
        Exhaust(LockType.IBits, requests, 6);
    }

    [Fact]
    public void PlainEverySequence()
    {
        Request[] requests =
        [
            new Request(0, LockMode.CR, 0, 0),
            new Request(1, LockMode.PR, 0, 0),
            new Request(-1, LockMode.EX, 0, 0),
            new Request(0, LockMode.NL, 0, 0),
        ];
        Exhaust(LockType.Plain, requests, 6);
    }

    [Fact]
    public void ExtentEverySequence()
    {
        Request[] requests =
        [
            .. from owner in new[] { 0, 1 }
               from mode in new[] { LockMode.PR, LockMode.PW }
               from range in new[] { (0, 1), (2, 3), (1, 2) }
               select new Request(owner, mode, (ulong)range.Item1 * Page, (ulong)range.Item2 * Page + Page - 1),
            new Request(1, LockMode.PW, 0, Eof),
        ];
        Exhaust(LockType.Extent, requests, 4);
    }

    [Fact]
    public void ExtentEverySequenceOfFew()
    {
        Request[] requests =
        [
            new Request(0, LockMode.PR, 0, Page - 1),
            new Request(1, LockMode.PW, Page, 2 * Page - 1),
            new Request(0, LockMode.PW, 0, 2 * Page - 1),
            new Request(1, LockMode.Group, 0, Eof, Gid: 1),
            new Request(-1, LockMode.PR, 0, 99),
        ];
        Exhaust(LockType.Extent, requests, 5);
    }

    [Fact]
    public void GroupEverySequence()
    {
        Request[] requests =
        [
            new Request(0, LockMode.Group, 0, Eof, Gid: 1),
            new Request(1, LockMode.Group, 0, 7, Gid: 2),
            new Request(1, LockMode.PW, 0, Page - 1),
            new Request(0, LockMode.PR, Page, Eof),
        ];
        Exhaust(LockType.Extent, requests, 6);
    }

    [Fact]
    public void IBitsRandomly() => RunRandomly(LockType.IBits, random => new Request(
        random.Next(-1, 3),
        LockModes.FromIndex(random.Next(6)),
        1ul + (ulong)random.Next(0x7f),
        random.Next(3) == 0 ? (ulong)random.Next(0x80) : 0));

    [Fact]
    public void ExtentRandomly() => RunRandomly(LockType.Extent, random =>
    {
        var unit = random.Next(4) == 0 ? 100 : Page << random.Next(4);
        var start = (ulong)random.Next(24) * unit;
        var end = random.Next(6) == 0 ? Eof : start + unit * (ulong)random.Next(1, 6) - 1;
        return new Request(
            random.Next(-1, 3),
            random.Next(12) == 0 ? LockMode.Group : LockModes.FromIndex(random.Next(1, 5)),
            start,
            end,
            Expand: random.Next(5) != 0,
            Gid: (ulong)random.Next(2));
    });

    /// <summary>Many locks, so that the limits for crowded objects apply.</summary>
    [Fact]
    public void CrowdedExtentRandomly() => RunRandomly(
        LockType.Extent,
        random =>
        {
            var start = (ulong)random.Next(4000) * Page;
            return new Request(random.Next(3), random.Next(2) == 0 ? LockMode.PW : LockMode.PR, start, start + Page - 1);
        },
        rounds: 30,
        steps: 300,
        cancelPercent: 20);

    private static void Exhaust(LockType type, Request[] requests, int depth)
    {
        var sequence = new List<int>();
        Descend();

        void Descend()
        {
            if (sequence.Count > 0)
            {
                using var run = new Run(type);
                foreach (var step in sequence)
                    run.Do(step, requests);
                run.Check(() => string.Join(",", sequence));
                if (sequence.Count == depth)
                {
                    run.Drain(() => string.Join(",", sequence));
                    return;
                }
            }
            // Request i, or cancel of the lock made by step -(i+1).
            for (var i = -sequence.Count(s => s >= 0); i < requests.Length; i++)
            {
                if (i < 0 && sequence.Contains(i))
                    continue;
                sequence.Add(i);
                Descend();
                sequence.RemoveAt(sequence.Count - 1);
            }
        }
    }

    private void RunRandomly(
        LockType type, Func<Random, Request> make, int rounds = 300, int steps = 60, int cancelPercent = 40)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            using var run = new Run(type);
            for (var step = 0; step < steps; step++)
            {
                if (random.Next(100) < cancelPercent && run.Live.Count > 0)
                    run.Cancel(run.Live[random.Next(run.Live.Count)]);
                else
                    run.Enqueue(make(random));
                run.Check(() => $"seed {seed}, round {round}, step {step}");
            }
            run.Drain(() => $"seed {seed}, round {round}");
        }
    }

    private sealed record Request(int Owner, LockMode Mode, ulong Start, ulong End, bool Expand = true, ulong Gid = 0);

    private sealed class Pair
    {
        public required LdlmLock Lock;
        public required GrantModel.Entry Entry;
        public bool ToldInReply;
    }

    /// <summary>One sequence, done by both.</summary>
    private sealed class Run(LockType type) : IDisposable
    {
        private readonly Harness _harness = new();
        private readonly GrantModel _model = new(type);
        private readonly List<Pair> _pairs = [];

        public List<Pair> Live { get; } = [];

        public void Dispose() => _harness.Dispose();

        public void Do(int step, Request[] requests)
        {
            if (step >= 0)
                Enqueue(requests[step]);
            else
                Cancel(_pairs[-step - 1]);
        }

        public void Enqueue(Request r)
        {
            var l = Make(r);
            _harness.Enqueue(l, Harness.File, type);
            var pair = new Pair { Lock = l, Entry = _model.Enqueue(r.Owner, r.Mode, r.Start, r.End, r.Expand, r.Gid) };
            pair.ToldInReply = (_harness.LastReply.LockFlags & LdlmFlags.AstSent) != 0;
            _pairs.Add(pair);
            Live.Add(pair);
        }

        public void Cancel(Pair pair)
        {
            if (!Live.Remove(pair))
                return;
            if (pair.Lock.Owner is null)
                _harness.Table.Release(pair.Lock);
            else
                Assert.Equal(1, _harness.Cancel(pair.Lock));
            _model.Cancel(pair.Entry);
        }

        public void Check(Func<string> where)
        {
            foreach (var pair in Live)
            {
                var granted = _model.Granted.Contains(pair.Entry);
                Assert.True(granted == (pair.Lock.State == LockState.Granted), where() + $": {pair.Entry.Mode} state");
                if (!granted)
                    continue;
                Assert.True(pair.Entry.Start == pair.Lock.Policy.Start, where() + ": start or bits");
                Assert.True(type != LockType.Extent || pair.Entry.End == pair.Lock.Policy.End, where() + ": end");
                Assert.True(pair.Entry.CalledBack == pair.Lock.IsContended, where() + ": called back");
                if (pair.Lock.Owner is not null)
                    Assert.True(pair.Entry.Calls == Told(pair), where() + ": told once");
            }
        }

        /// <summary>Holders give up what they are asked for, the server what it holds, until nobody waits.</summary>
        public void Drain(Func<string> where)
        {
            while (_model.Waiting.Count > 0)
            {
                var asked = Live.FindAll(p => p.Lock.State == LockState.Granted
                    && (p.Lock.Owner is null || p.Lock.Mode == LockMode.Group || Told(p) > 0));
                Assert.True(asked.Count > 0, where() + ": someone waits and nobody was asked");
                foreach (var pair in asked)
                    Cancel(pair);
                Check(where);
            }
            foreach (var pair in Live.ToArray())
                Cancel(pair);
            Assert.Equal((0, 0), (_harness.Table.LockCount, _harness.Table.ResourceCount));
        }

        private LdlmLock Make(Request r)
        {
            var client = r.Owner < 0 ? null : _harness.Clients[r.Owner];
            var policy = type switch
            {
                LockType.IBits => LdlmPolicy.IBits((InodeBits)r.Start, (InodeBits)r.End & ~(InodeBits)r.Start),
                LockType.Extent => LdlmPolicy.Extent(r.Start, r.End, r.Gid),
                _ => default,
            };
            var l = _harness.Make(client, r.Mode, policy);
            if (r.Mode == LockMode.Group && type == LockType.Extent)
                (l.Policy.Start, l.Policy.End) = (0, Eof);
            if (!r.Expand)
                l.Set(LockMarks.NoExpansion);
            return l;
        }

        private int Told(Pair pair)
        {
            var client = (FakeClient)pair.Lock.Owner!.Client;
            var completions = client.All.Count(c => c.Opcode == Opcode.LdlmCpCallback
                && c.ClientHandle == pair.Lock.ClientHandle && (c.Request.LockFlags & LdlmFlags.AstSent) != 0);
            return client.Count(Opcode.LdlmBlCallback, pair.Lock) + completions + (pair.ToldInReply ? 1 : 0);
        }
    }
}
