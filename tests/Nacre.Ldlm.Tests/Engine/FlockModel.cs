using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>File locks as arrays: for every holder the mode of every byte. Written from 03 section 15.</summary>
internal sealed class FlockModel(int files, int holders, int bytes)
{
    public enum Outcome
    {
        Granted,
        Waits,
        Again,
        Deadlock,
    }

    /// <summary>Modes[file, holder, byte]: NL, PR or PW.</summary>
    public LockMode[,,] Modes { get; } = Fill(files, holders, bytes);

    public List<Wait> Waiting { get; } = [];

    /// <summary>Waits granted by the last operation, in order.</summary>
    public List<Wait> JustGranted { get; } = [];

    public Outcome Lock(int file, int holder, LockMode mode, int start, int end, bool wait)
    {
        JustGranted.Clear();
        if (mode != LockMode.NL && Blockers(file, holder, mode, start, end).Count > 0)
        {
            if (!wait)
                return Outcome.Again;
            if (Reaches(Blockers(file, holder, mode, start, end), holder))
                return Outcome.Deadlock;
            Waiting.Add(new Wait(file, holder, mode, start, end));
            return Outcome.Waits;
        }
        Set(file, holder, mode, start, end);
        GrantWaiting();
        return Outcome.Granted;
    }

    /// <summary>The client has forgotten the request.</summary>
    public void Restore(Wait wait, LockMode[] before)
    {
        JustGranted.Clear();
        for (var b = wait.Start; b <= wait.End; b++)
            if (before[b] == LockMode.NL || Blockers(wait.File, wait.Holder, before[b], b, b).Count == 0)
                Modes[wait.File, wait.Holder, b] = before[b];
        GrantWaiting();
    }

    public LockMode[] Row(int file, int holder) => [.. Enumerable.Range(0, bytes).Select(b => Modes[file, holder, b])];

    public void DropHolder(int holder)
    {
        JustGranted.Clear();
        Waiting.RemoveAll(w => w.Holder == holder);
        for (var file = 0; file < files; file++)
            Set(file, holder, LockMode.NL, 0, bytes - 1);
        GrantWaiting();
    }

    public HashSet<int> Blockers(int file, int holder, LockMode mode, int start, int end)
    {
        var found = new HashSet<int>();
        for (var other = 0; other < holders; other++)
            for (var b = start; b <= end && other != holder; b++)
                if (Modes[file, other, b] == LockMode.PW || (Modes[file, other, b] == LockMode.PR && mode == LockMode.PW))
                    found.Add(other);
        return found;
    }

    /// <summary>Waiting in a circle: some waiter waits, through others, for itself.</summary>
    public bool HasCycle() => Waiting.Exists(w => Reaches(Blockers(w.File, w.Holder, w.Mode, w.Start, w.End), w.Holder));

    private bool Reaches(HashSet<int> from, int target)
    {
        var reached = new HashSet<int>(from);
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var w in Waiting.Where(w => reached.Contains(w.Holder)))
                foreach (var blocker in Blockers(w.File, w.Holder, w.Mode, w.Start, w.End))
                    grown |= reached.Add(blocker);
        }
        return reached.Contains(target);
    }

    private void GrantWaiting()
    {
        for (var again = true; again;)
        {
            again = false;
            foreach (var w in Waiting.ToArray())
            {
                if (Blockers(w.File, w.Holder, w.Mode, w.Start, w.End).Count > 0)
                    continue;
                Waiting.Remove(w);
                Set(w.File, w.Holder, w.Mode, w.Start, w.End);
                JustGranted.Add(w);
                again = true;
            }
        }
    }

    private void Set(int file, int holder, LockMode mode, int start, int end)
    {
        for (var b = start; b <= end; b++)
            Modes[file, holder, b] = mode;
    }

    private static LockMode[,,] Fill(int files, int holders, int bytes)
    {
        var modes = new LockMode[files, holders, bytes];
        for (var f = 0; f < files; f++)
            for (var h = 0; h < holders; h++)
                for (var b = 0; b < bytes; b++)
                    modes[f, h, b] = LockMode.NL;
        return modes;
    }

    internal sealed record Wait(int File, int Holder, LockMode Mode, int Start, int End);
}
