using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>File locks beside <see cref="FlockModel"/>.</summary>
public class FlockModelTests(ITestOutputHelper output)
{
    [Fact]
    public void EverySequence()
    {
        // Two holders of one client and one of another, over four bytes.
        (int Holder, LockMode Mode, int Start, int End, bool Wait)[] requests =
        [
            (0, LockMode.PW, 0, 3, true),
            (0, LockMode.PR, 1, 2, true),
            (0, LockMode.NL, 1, 1, true),
            (1, LockMode.PW, 1, 2, true),
            (1, LockMode.PR, 0, 1, true),
            (1, LockMode.NL, 0, 3, true),
            (2, LockMode.PW, 2, 3, true),
            (2, LockMode.PR, 0, 3, false),
            (2, LockMode.NL, 3, 3, true),
        ];
        var sequence = new List<int>();
        Descend();

        void Descend()
        {
            if (sequence.Count > 0)
            {
                using var run = new Run(files: 1, holders: 3, bytes: 4);
                foreach (var step in sequence)
                {
                    var r = requests[step];
                    if (!run.Blocked.Contains(r.Holder))
                        run.Lock(0, r.Holder, r.Mode, r.Start, r.End, r.Wait);
                }
                run.Check(() => string.Join(",", sequence));
            }
            if (sequence.Count == 5)
                return;
            for (var i = 0; i < requests.Length; i++)
            {
                sequence.Add(i);
                Descend();
                sequence.RemoveAt(sequence.Count - 1);
            }
        }
    }

    [Fact]
    public void RandomlyWithDeadlocksAndInterruptions()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var outcomes = new int[4];
        for (var round = 0; round < 150; round++)
        {
            using var run = new Run(files: 3, holders: 5, bytes: 16);
            for (var step = 0; step < 120; step++)
            {
                var holder = random.Next(5);
                if (run.Blocked.Contains(holder))
                    continue;
                var start = random.Next(16);
                var end = random.Next(5) == 0 ? 15 : Math.Min(15, start + random.Next(6));
                var mode = random.Next(10) switch { < 3 => LockMode.NL, < 6 => LockMode.PR, _ => LockMode.PW };
                run.Interrupt = random.Next(4) == 0;
                outcomes[(int)run.Lock(random.Next(3), holder, mode, start, end, random.Next(5) != 0)]++;
                run.Check(() => $"seed {seed}, round {round}, step {step}");
            }
            run.Finish();
        }
        Assert.All(outcomes, count => Assert.True(count > 20));
    }

    private sealed class Run : IDisposable
    {
        private const int Interrupted = -Errno.EINVAL;
        private readonly Harness _harness = new();
        private readonly FlockModel _model;
        private readonly int _files;
        private readonly int _holders;
        private readonly int _bytes;
        private readonly Dictionary<FlockModel.Wait, LdlmLock> _waits = [];
        private readonly List<(ulong ClientHandle, LateAnswer Answer)> _completions = [];

        public Run(int files, int holders, int bytes)
        {
            (_files, _holders, _bytes) = (files, holders, bytes);
            _model = new FlockModel(files, holders, bytes);
            foreach (var client in _harness.Clients)
                client.Answer = received =>
                {
                    Assert.Equal(Opcode.LdlmCpCallback, received.Opcode);
                    Assert.True(received.HasLvb);
                    Assert.Empty(received.Lvb);
                    var answer = new LateAnswer();
                    _completions.Add((received.ClientHandle, answer));
                    return answer.Task;
                };
        }

        /// <summary>Whether the process of the next grant after waiting is gone.</summary>
        public bool Interrupt { get; set; }

        public IEnumerable<int> Blocked => _model.Waiting.Select(w => w.Holder);

        public void Dispose() => _harness.Dispose();

        public FlockModel.Outcome Lock(int file, int holder, LockMode mode, int start, int end, bool wait)
        {
            var before = Enumerable.Range(0, _files * _holders).Select(i => _model.Row(i / _holders, i % _holders)).ToArray();
            var expected = _model.Lock(file, holder, mode, start, end, wait);
            var (result, l) = _harness.Flock(ClientOf(holder), mode, (ulong)start, (ulong)end, OwnerOf(holder), wait, Name(file));
            Assert.Equal(
                expected switch
                {
                    FlockModel.Outcome.Granted => EnqueueResult.Granted,
                    FlockModel.Outcome.Waits => EnqueueResult.Waiting,
                    FlockModel.Outcome.Again => EnqueueResult.Conflict,
                    _ => EnqueueResult.Deadlock,
                },
                result);
            if (result == EnqueueResult.Waiting)
                _waits.Add(_model.Waiting[^1], l);
            Assert.False(_model.HasCycle());
            AnswerCompletions(before);
            return expected;
        }

        public void Check(Func<string> where)
        {
            for (var file = 0; file < _files; file++)
                for (var holder = 0; holder < _holders; holder++)
                    for (var b = 0; b < _bytes; b++)
                        CheckByte(file, holder, b, where);
            Assert.Equal(_model.Waiting.Count, _waits.Values.Count(l => l.State == LockState.Waiting));
        }

        public void Finish()
        {
            for (var holder = 0; holder < _holders; holder++)
            {
                _model.DropHolder(holder);
                foreach (var wait in _waits.Where(w => w.Key.Holder == holder && w.Value.State == LockState.Waiting))
                    _harness.Cancel(wait.Value);
                for (var file = 0; file < _files; file++)
                    _harness.Flock(ClientOf(holder), LockMode.NL, 0, ulong.MaxValue, OwnerOf(holder), true, Name(file));
                Interrupt = false;
                AnswerCompletions([]);
            }
            Assert.Empty(_model.Waiting);
            Assert.Equal((0, 0), (_harness.Table.LockCount, _harness.Table.ResourceCount));
        }

        /// <summary>A probe by a holder that has nothing shows what others hold; its own writer's probe shows who else does.</summary>
        private void CheckByte(int file, int holder, int b, Func<string> where)
        {
            foreach (var mode in new[] { LockMode.PR, LockMode.PW })
            {
                var found = _harness.Table.TestFlock(
                    _harness.Make(ClientOf(holder), mode, LdlmPolicy.Flock((ulong)b, (ulong)b, OwnerOf(holder), 0)), Name(file));
                var blocked = _model.Blockers(file, holder, mode, b, b).Count > 0;
                Assert.True(blocked == found is not null, $"{where()}: file {file}, byte {b}, seen by {holder} for {mode}");
            }
        }

        /// <summary>Every waiter that was granted got exactly one CP AST, with its own range. Some do not wait any more.</summary>
        private void AnswerCompletions(LockMode[][] before)
        {
            var granted = _model.JustGranted.ToArray();
            Assert.Equal(
                granted.Select(w => _waits[w].ClientHandle).Order(), _completions.Select(c => c.ClientHandle).Order());
            var answers = _completions.ToArray();
            _completions.Clear();
            var undo = Interrupt && granted.Length == 1 ? granted[0] : null;
            foreach (var (_, answer) in answers)
                answer.Give(undo is null ? 0 : Interrupted);
            if (undo is null)
                return;
            _model.Restore(undo, before[undo.File * _holders + undo.Holder]);
            Interrupt = false;
            AnswerCompletions([]);
        }

        private static LdlmResId Name(int file) => LdlmResId.OfFlock(new LuFid(0x200000401, (uint)file + 1));

        // Holders 0 and 1 are two processes of one client.
        private FakeClient ClientOf(int holder) => _harness.Clients[Math.Max(0, holder - 1) % _harness.Clients.Count];

        private static ulong OwnerOf(int holder) => (ulong)holder + 100;
    }
}
