using System.Diagnostics;

namespace Nacre.FileOperations;

/// <summary>
/// Several workers on one file at the same moment, each on a mount and with descriptors of its own. The file is slots that begin and end inside of pages, and a
/// worker writes only its own, which lie between those of others: so each knows what it has to read, whatever the others do to the same pages.
/// </summary>
internal sealed class NeighbourRun : IRun
{
    private const int SlotSize = 3000;
    private const int SlotsOfWorker = 64;
    private const int WorkersOnPath = 2;

    private readonly List<Worker> _workers = [];

    /// <param name="paths">The file on each mount.</param>
    public NeighbourRun(int seed, IReadOnlyList<string> paths)
    {
        int count = paths.Count * WorkersOnPath;
        int file = FileCalls.Open(paths[0], FileCalls.ReadWrite);
        FileCalls.Truncate(file, (long)count * SlotsOfWorker * SlotSize);
        FileCalls.Close(file);
        for (int i = 0; i < count; i++) _workers.Add(new Worker(paths[i % paths.Count], i, count, new Random(seed + i)));
    }

    public string Progress => string.Join("; ", _workers.Select(static worker => worker.Progress));

    public void Run(TimeSpan time)
    {
        var threads = _workers.Select(worker => new Thread(() => worker.Run(time))).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        if (_workers.Find(static worker => worker.Failure is not null) is { } failed) throw new InvalidDataException(failed.Failure);
    }

    public void Dispose() => _workers.ForEach(static worker => worker.Dispose());

    private sealed class Worker(string path, int index, int workers, Random random) : IDisposable
    {
        private readonly OpenedFile _file = new(path);
        private readonly byte[][] _slots = [.. Enumerable.Range(0, SlotsOfWorker).Select(static _ => new byte[SlotSize])];
        private readonly byte[] _bytes = new byte[SlotSize];
        private string _now = "nothing";
        private long _count;

        public string? Failure { get; private set; }

        public string Progress => $"worker {index}: {Volatile.Read(ref _count)} operations, the last: {_now}";

        public void Run(TimeSpan time)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                while (Stopwatch.GetElapsedTime(started) < time) Step(random.Next(SlotsOfWorker));
                for (int slot = 0; slot < SlotsOfWorker; slot++) Read(slot);
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException)
            {
                Failure = $"{failure.Message}\n{Progress}";
            }
        }

        public void Dispose() => _file.Dispose();

        private void Step(int slot)
        {
            _count++;
            switch (random.Next(10))
            {
                case 0 or 1 or 2:
                    Do("read", slot);
                    Read(slot);
                    break;
                case 3 or 4:
                    Do("read mapped", slot);
                    FileCalls.ReadMapped(_file.Writer, _bytes, Offset(slot));
                    Check(slot);
                    break;
                case 5 or 6:
                    Do("write", slot);
                    FileCalls.Write(_file.Writer, New(slot), Offset(slot));
                    break;
                case 7 or 8:
                    Do("write mapped", slot);
                    FileCalls.WriteMapped(_file.Writer, New(slot), Offset(slot), sync: random.Next(3) == 0);
                    break;
                default:
                    Do("drop pages", slot);
                    FileCalls.SyncData(_file.Writer);
                    FileCalls.DropPages(_file.Writer);
                    break;
            }
        }

        private void Read(int slot)
        {
            int read = FileCalls.Read(_file.Reader, _bytes, Offset(slot));
            if (read != SlotSize) throw new InvalidDataException($"{read} bytes at {Offset(slot)} and not {SlotSize}");
            Check(slot);
        }

        private void Check(int slot)
        {
            int common = _bytes.AsSpan().CommonPrefixLength(_slots[slot]);
            if (common == SlotSize) return;
            throw new InvalidDataException(
                $"a wrong byte at {Offset(slot) + common} (0x{Offset(slot) + common:x}): {_bytes[common]} and not {_slots[slot][common]}, in the slot from {Offset(slot)}");
        }

        private byte[] New(int slot)
        {
            random.NextBytes(_slots[slot]);
            return _slots[slot];
        }

        private void Do(string what, int slot) => _now = $"{what} at 0x{Offset(slot):x}";

        private long Offset(int slot) => ((long)slot * workers + index) * SlotSize;
    }
}
