using Nacre.EndToEnd.Client;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>
/// Does random operations in a directory of its own, one at a time, and keeps a model of what must be there. The one operation that is under way
/// when the server dies may or may not have happened.
/// </summary>
internal sealed class DurabilityWorker
{
    private const int MaxFileBytes = 200_000;

    private readonly ScriptedClient _client;
    private readonly LuFid _directory;
    private readonly Random _random;
    private Dictionary<string, Entry> _model = [];
    private Dictionary<string, Entry>? _afterUnanswered;
    private int _done;
    private int _lastName;

    private DurabilityWorker(ScriptedClient client, LuFid directory, Random random)
    {
        _client = client;
        _directory = directory;
        _random = random;
    }

    /// <summary>Operations answered.</summary>
    public int Done => Volatile.Read(ref _done);

    public static async Task<DurabilityWorker> StartAsync(ScriptedClient client, string name, Random random) =>
        new(client, await client.MkdirAsync(client.Root, name), random);

    public async Task WorkUntilItFailsAsync()
    {
        while (true)
        {
            var (next, operation) = Choose();
            try
            {
                await operation();
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or IOException or TimeoutException)
            {
                _afterUnanswered = next;
                return;
            }

            _model = next;
            Interlocked.Increment(ref _done);
        }
    }

    /// <summary>Compares what is there with the model, and takes it over.</summary>
    public async Task VerifyAsync()
    {
        var actual = new Dictionary<string, Entry>();
        foreach (var listed in (await _client.ReadDirAsync(_directory)).Where(entry => entry.Name is not ("." or "..")))
        {
            actual.Add(listed.Name, await ReadAsync(listed));
        }

        Assert.True(
            Same(actual, _model) || Same(actual, _afterUnanswered ?? _model),
            $"there is {Show(actual)}\nexpected {Show(_model)}\nor, with what was under way, {Show(_afterUnanswered ?? _model)}");
        _model = actual;
        _afterUnanswered = null;
    }

    private async Task<Entry> ReadAsync(DirectoryEntry listed)
    {
        var found = await _client.GetAttrAsync(_directory, listed.Name);
        Assert.Equal(listed.Fid, found!.Fid);
        if (listed.Type == FileType.Directory)
        {
            return new Entry(listed.Fid, null, found.Mode);
        }

        var file = await _client.OpenAsync(_directory, listed.Name, MdsOpen.Read);
        var data = await _client.ReadAsync(file, 0, 2 * MaxFileBytes);
        await _client.CloseAsync(file);
        return new Entry(listed.Fid, data, found.Mode);
    }

    /// <summary>A random operation and the model after it.</summary>
    private (Dictionary<string, Entry> After, Func<Task> Operation) Choose()
    {
        var after = new Dictionary<string, Entry>(_model);
        var victim = _model.Count == 0 ? null : _model.Keys.ElementAt(_random.Next(_model.Count));
        switch (victim is null ? 0 : _random.Next(6))
        {
            case 0 or 1:
                return CreateFile(after);
            case 2:
                return MakeDirectory(after);
            case 3:
                after.Remove(victim!, out var moved);
                var name = NewName();
                after.Add(name, moved!);
                return (after, () => _client.RenameAsync(_directory, victim!, _directory, name, moved!.Mode & FileType.Mask));
            case 4:
                after.Remove(victim!, out var removed);
                return (after, () => removed!.Data is null
                    ? _client.RmdirAsync(_directory, victim!, removed.Fid)
                    : _client.UnlinkAsync(_directory, victim!, removed.Fid));
            default:
                var mode = (_model[victim!].Mode & FileType.Mask) | (uint)(0x1C0 + _random.Next(0x40));
                after[victim!] = _model[victim!] with { Mode = mode };
                return (after, () => _client.ChmodAsync(_model[victim!].Fid, mode));
        }
    }

    /// <summary>
    /// Creating and writing are two operations for the server: what is left of them halfway is a file with a part of the data, which the name
    /// tells apart. So the file gets its name at the end.
    /// </summary>
    private (Dictionary<string, Entry> After, Func<Task> Operation) CreateFile(Dictionary<string, Entry> after)
    {
        var name = NewName();
        var data = new byte[_random.Next(MaxFileBytes)];
        _random.NextBytes(data);
        // The FID is known once the file is made; entries are compared without it.
        after.Add(name, new Entry(default, data, FileType.Regular | 0x1A4));
        return (after, async () =>
        {
            var file = await _client.CreateAsync(_client.Root, $"{_directory.Sequence:x}-{_directory.ObjectId}-{name}", Layouts.Striped(2, 65536));
            await _client.WriteAsync(file, 0, data);
            await _client.CloseAsync(file);
            after[name] = after[name] with { Fid = file.Fid };
            await _client.RenameAsync(_client.Root, $"{_directory.Sequence:x}-{_directory.ObjectId}-{name}", _directory, name);
        }
        );
    }

    private (Dictionary<string, Entry> After, Func<Task> Operation) MakeDirectory(Dictionary<string, Entry> after)
    {
        var name = NewName();
        after.Add(name, new Entry(default, null, FileType.Directory | 0x1ED));
        return (after, async () => after[name] = after[name] with { Fid = await _client.MkdirAsync(_directory, name) });
    }

    private string NewName() => $"n{++_lastName}";

    private static bool Same(Dictionary<string, Entry> actual, Dictionary<string, Entry> expected) =>
        actual.Count == expected.Count && actual.All(entry => expected.TryGetValue(entry.Key, out var other) && entry.Value.Matches(other));

    private static string Show(Dictionary<string, Entry> entries) => string.Join(
        ", ", entries.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}({entry.Value.Data?.Length ?? -1}, {entry.Value.Mode:x})"));

    /// <summary>A file with its bytes, or a directory.</summary>
    private sealed record Entry(LuFid Fid, byte[]? Data, uint Mode)
    {
        public bool Matches(Entry expected) =>
            Mode == expected.Mode && (Data is null) == (expected.Data is null) && (Data is null || Data.AsSpan().SequenceEqual(expected.Data))
            && (expected.Fid.IsZero || expected.Fid == Fid);
    }
}
