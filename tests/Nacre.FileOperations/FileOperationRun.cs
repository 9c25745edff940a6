using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nacre.FileOperations;

/// <summary>
/// Generated operations on one file that is reached through one or several mounts, each compared with an array of bytes. What happens follows from
/// the seed alone; how many operations, from the time.
/// </summary>
internal sealed unsafe class FileOperationRun : IRun
{
    /// <summary>Several stripes, and both components of a progressive layout.</summary>
    private const int MaxSize = 5 << 20;

    private const int SmallRange = 100_000;
    private const int LargeRange = 3 << 20;
    private const int Remembered = 40;

    private static readonly (int Weight, string Name, Action<FileOperationRun> Run)[] Operations =
    [
        (20, "read", static run => run.Read()),
        (20, "write", static run => run.Write()),
        (10, "read mapped", static run => run.ReadMapped()),
        (10, "write mapped", static run => run.WriteMapped()),
        (6, "read direct", static run => run.ReadDirect()),
        (6, "write direct", static run => run.WriteDirect()),
        (6, "append", static run => run.Append()),
        (6, "truncate", static run => run.Truncate()),
        (5, "punch", static run => run.Punch()),
        (3, "allocate", static run => run.Allocate()),
        (4, "copy", static run => run.Copy()),
        (3, "seek", static run => run.Seek()),
        (3, "sync", static run => run.Sync()),
        (3, "drop pages", static run => run.DropPages()),
        (2, "reopen", static run => run.Reopen()),
    ];

    private readonly Random _random;
    private readonly ModelFile _model = new(MaxSize);
    private readonly OpenedFile[] _files;
    private readonly byte[] _bytes = new byte[MaxSize];
    private readonly byte* _aligned = (byte*)NativeMemory.AlignedAlloc(MaxSize, FileCalls.Page);
    private readonly Queue<string> _history = new();
    private OpenedFile _file;
    private string _now = "nothing";
    private long _count;

    public FileOperationRun(int seed, IReadOnlyList<string> paths)
    {
        _random = new Random(seed);
        _files = [.. paths.Select(static path => new OpenedFile(path))];
        _file = _files[0];
    }

    /// <summary>How far it is: of interest when it ends nowhere.</summary>
    public string Progress => $"{Volatile.Read(ref _count)} operations, the last: {_now}";

    public void Run(TimeSpan time)
    {
        long started = Stopwatch.GetTimestamp();
        try
        {
            while (Stopwatch.GetElapsedTime(started) < time) Step();
            CheckAll();
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            throw new InvalidDataException($"{failure.Message}\nafter {_count} operations, the last of them:\n{string.Join('\n', _history)}\n{_now}", failure);
        }
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        NativeMemory.AlignedFree(_aligned);
    }

    private void Step()
    {
        int mount = _random.Next(_files.Length);
        _file = _files[mount];
        int choice = _random.Next(Operations.Sum(static operation => operation.Weight));
        int index = 0;
        while (choice >= Operations[index].Weight) choice -= Operations[index++].Weight;
        Note($"{_count,6} mount {mount}: {Operations[index].Name}, size {_model.Size}");
        _count++;
        Operations[index].Run(this);
    }

    /// <summary>Everything, by every mount, and its size.</summary>
    private void CheckAll()
    {
        foreach (var file in _files)
        {
            _file = file;
            Note("read all");
            CheckSize();
            CheckRead(file.Reader, 0, MaxSize);
        }
    }

    private void Read()
    {
        var (offset, length) = Range(MaxSize);
        CheckRead(_random.Next(2) == 0 ? _file.Reader : _file.Writer, offset, length);
        if (_random.Next(4) == 0) CheckSize();
    }

    private void CheckRead(int from, int offset, int length)
    {
        Detail(offset, length);
        int read = FileCalls.Read(from, _bytes.AsSpan(0, length), offset);
        _model.Check(offset, _bytes.AsSpan(0, read), length);
    }

    private void Write()
    {
        var (offset, length) = Range(MaxSize);
        Detail(offset, length);
        var data = NewBytes(length);
        FileCalls.Write(_file.Writer, data, offset);
        _model.Write(offset, data);
    }

    private void ReadMapped()
    {
        if (!TryRangeInside(out int offset, out int length)) return;
        CheckSize();
        FileCalls.ReadMapped(_random.Next(3) switch { 0 => _file.Reader, 1 => _file.Writer, _ => _file.Direct }, _bytes.AsSpan(0, length), offset);
        _model.Check(offset, _bytes.AsSpan(0, length), length);
    }

    private void WriteMapped()
    {
        if (!TryRangeInside(out int offset, out int length)) return;
        CheckSize();
        var data = NewBytes(length);
        FileCalls.WriteMapped(_random.Next(3) == 0 ? _file.Direct : _file.Writer, data, offset, sync: _random.Next(3) == 0);
        _model.Write(offset, data);
    }

    private void ReadDirect()
    {
        var (offset, length) = WholePages();
        var memory = new Span<byte>(_aligned, length);
        int read = FileCalls.Read(_file.Direct, memory, offset);
        _model.Check(offset, memory[..read], length);
    }

    private void WriteDirect()
    {
        var (offset, length) = WholePages();
        var memory = new Span<byte>(_aligned, length);
        _random.NextBytes(memory);
        FileCalls.Write(_file.Direct, memory, offset);
        _model.Write(offset, memory);
    }

    private void Append()
    {
        int length = Math.Min(_random.Next(1, SmallRange), MaxSize - _model.Size);
        if (length == 0) return;
        Detail(_model.Size, length);
        var data = NewBytes(length);
        FileCalls.AppendAll(_file.Appender, data);
        _model.Write(_model.Size, data);
    }

    private void Truncate()
    {
        int size = _random.Next(5) == 0 ? 0 : _random.Next(MaxSize + 1);
        Detail(size, 0);
        FileCalls.Truncate(_file.Writer, size);
        _model.Truncate(size);
    }

    private void Punch()
    {
        var (offset, length) = Range(MaxSize);
        Detail(offset, length);
        FileCalls.Allocate(_file.Writer, FileCalls.PunchHole | FileCalls.KeepSize, offset, length);
        _model.Punch(offset, length);
    }

    private void Allocate()
    {
        var (offset, length) = Range(MaxSize);
        bool keepSize = _random.Next(2) == 0;
        Detail(offset, length);
        FileCalls.Allocate(_file.Writer, keepSize ? FileCalls.KeepSize : 0, offset, length);
        if (!keepSize) _model.Allocate(offset, length);
    }

    private void Copy()
    {
        if (!TryRangeInside(out int from, out int length)) return;
        int to = _random.Next(MaxSize - length + 1);
        if (Math.Abs(from - to) < length) return;
        Detail(to, length);
        CheckSize();
        int copied = (int)FileCalls.Copy(_file.Writer, from, to, length);
        if (copied is 0 || copied > length) throw new InvalidDataException($"{copied} of {length} bytes copied from {from} to {to}");
        _model.Copy(from, to, copied);
    }

    private void Seek()
    {
        long from = _random.Next(MaxSize);
        Detail(from, 0);
        long data = FileCalls.Seek(_file.Reader, from, FileCalls.SeekData);
        _model.CheckHole(from, data == -FileCalls.ENXIO ? MaxSize : data);
        if (data < 0) return;
        long hole = FileCalls.Seek(_file.Reader, data, FileCalls.SeekHole);
        if (hole <= data || hole > _model.Size) throw new InvalidDataException($"data at {data}, and a hole at {hole}, of {_model.Size} bytes");
        long next = FileCalls.Seek(_file.Reader, hole, FileCalls.SeekData);
        _model.CheckHole(hole, next == -FileCalls.ENXIO ? MaxSize : next);
    }

    private void Sync()
    {
        if (_random.Next(2) == 0) FileCalls.Sync(_file.Writer);
        else FileCalls.SyncData(_file.Writer);
    }

    private void DropPages()
    {
        FileCalls.SyncData(_file.Writer);
        FileCalls.DropPages(_file.Writer);
    }

    private void Reopen()
    {
        _file.Reopen();
        CheckSize();
    }

    /// <summary>Also what a program does before it maps or copies: the kernel goes by the size it has learnt last.</summary>
    private void CheckSize()
    {
        long size = FileCalls.Seek(_file.Reader, 0, FileCalls.SeekEnd);
        if (size != _model.Size) throw new InvalidDataException($"the size is {size} and not {_model.Size}");
    }

    private Span<byte> NewBytes(int length)
    {
        var bytes = _bytes.AsSpan(0, length);
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Mostly small ranges, and often with an end at a page's or a stripe's border.</summary>
    private (int Offset, int Length) Range(int limit)
    {
        int longest = _random.Next(10) == 0 ? LargeRange : _random.Next(3) == 0 ? 3 * FileCalls.Page : SmallRange;
        int offset = _random.Next(limit);
        if (_random.Next(3) == 0) offset &= -FileCalls.Page;
        int length = Math.Min(_random.Next(1, longest + 1), limit - offset);
        if (_random.Next(3) == 0) length = Math.Max(1, ((offset + length) & -FileCalls.Page) - offset);
        return (offset, length);
    }

    private bool TryRangeInside(out int offset, out int length)
    {
        (offset, length) = _model.Size == 0 ? (0, 0) : Range(_model.Size);
        Detail(offset, length);
        return length > 0;
    }

    private (int Offset, int Length) WholePages()
    {
        var (offset, length) = Range(MaxSize - FileCalls.Page);
        (offset, length) = (offset & -FileCalls.Page, (length + FileCalls.Page - 1) & -FileCalls.Page);
        Detail(offset, length);
        return (offset, length);
    }

    private void Note(string what)
    {
        _history.Enqueue(_now);
        if (_history.Count > Remembered) _history.Dequeue();
        _now = what;
    }

    /// <summary>Adds the range to what was noted last.</summary>
    private void Detail(long offset, long length) => _now += $"; 0x{offset:x} to 0x{offset + length:x}";
}
