using System.Text;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;
using Xunit.Abstractions;

namespace Nacre.Server.Tests.Mdt;

/// <summary>Generated operations, failing ones included, on the real thing and on <see cref="ReferenceModel"/>: the same errno each
/// time, the same tree after each batch, after restarts and in copies of the files as a kill would leave them.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    public enum Setup { Plain, CollidingNames, TinyCache }

    [Theory]
    [InlineData(Setup.Plain, 6000)]
    [InlineData(Setup.CollidingNames, 6000)]
    [InlineData(Setup.TinyCache, 6000)]
    public async Task Every_operation_does_what_the_model_does(Setup setup, int steps)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("NACRE_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed} (NACRE_SEED)");
        using var run = new ModelRun(seed, OptionsFor(setup), output);
        await run.RunAsync(steps);
        Assert.True(run.Successes > steps / 10, $"only {run.Successes} operations succeeded");
    }

    private static MetadataStoreOptions OptionsFor(Setup setup) => setup switch
    {
        Setup.CollidingNames => new MetadataStoreOptions { HashBits = 1 },
        Setup.TinyCache => new MetadataStoreOptions { CacheBytes = 2000, CommitInterval = TimeSpan.FromMilliseconds(1) },
        _ => new MetadataStoreOptions(),
    };
}

/// <summary>One run of <see cref="ModelTests"/>.</summary>
internal sealed class ModelRun : IDisposable
{
    private static readonly string[] Names =
    [
        "a", "b", "c", "d", "e", "f", ".", "..", "", "x/y", new string('n', 255), new string('n', 256), "nul\0", "ü", "-rf",
    ];

    private static readonly MdtCredentials[] Users =
    [
        MdtCredentials.Root, MdtCredentials.Root, MdtFixture.User(500, 500), MdtFixture.User(501, 500), MdtFixture.User(502, 502, 600),
    ];

    private static readonly uint[] Modes = [0x1FF, 0x1ED, 0x1C0, 0x3FF, 0x5FF, 0x1A4, 0x5B8, 0x000, 0xDED, 0x0F8];

    private readonly Random _random;
    private readonly MdtFixture _mdt;
    private readonly ReferenceModel _model;
    private readonly ITestOutputHelper _output;
    private readonly List<(LuFid Fid, OpenMode Mode)> _open = [];
    private readonly List<LuFid> _known = [MdtFileSystem.Root];
    private readonly List<string> _trace = [];

    public ModelRun(int seed, MetadataStoreOptions options, ITestOutputHelper output)
    {
        _random = new Random(seed);
        _mdt = new MdtFixture(options);
        _output = output;
        var root = _mdt.GetAttr(MdtFileSystem.Root).Attributes;
        _model = new ReferenceModel(new ReferenceModel.Node
        {
            Fid = root.Fid,
            Mode = root.Mode,
            NLink = root.NLink,
            Size = root.Size,
            ATime = root.ATime.Seconds,
            MTime = root.MTime.Seconds,
            CTime = root.CTime.Seconds,
        });
        _mdt.Now = root.CTime.Seconds;
    }

    public int Successes { get; private set; }

    public async Task RunAsync(int steps)
    {
        try
        {
            for (int step = 0; step < steps; step++)
            {
                Step();
                if (step % 100 == 99)
                {
                    Compare(_mdt.Fs, _mdt.Store);
                }
                if (step % 1000 == 499)
                {
                    await CompareKilledCopyAsync();
                }
                if (step % 1500 == 1499)
                {
                    Restart();
                }
            }
            Restart();
        }
        catch
        {
            _trace.TakeLast(30).ToList().ForEach(_output.WriteLine);
            throw;
        }
    }

    public void Dispose() => _mdt.Dispose();

    private void Step()
    {
        var who = Users[_random.Next(Users.Length)];
        long now = ++_mdt.Now;
        string name = Name(), other = Name();
        LuFid fid = Any(), parent = AnyDirectory(), target = AnyDirectory();
        uint mode = Modes[_random.Next(Modes.Length)];
        lock (_mdt.Store.Gate)
        {
            switch (_random.Next(26))
            {
                case < 8: Create(who, parent, name, mode, now); break;
                case < 10:
                    Check($"link {fid} {parent}/{name}", _model.Link(who, fid, parent, name, now),
                    () => _mdt.Fs.Link(who, new LinkArgs { Source = fid, Parent = parent, Name = Utf8(name), Time = now })); break;
                case < 13: Unlink(who, parent, name, now); break;
                case < 17: Rename(who, parent, name, target, other, now); break;
                case 17:
                    Check($"chmod {fid} {mode:x}", _model.Chmod(who, fid, mode, now), () => _mdt.Fs.SetAttr(who, new SetAttrArgs
                    { Fid = fid, Valid = SetAttrValid.Mode | SetAttrValid.CTimeSet, Mode = mode, CTime = now })); break;
                case 18: Chown(who, fid); break;
                case 19: Truncate(who, fid, now); break;
                case 20: SetTimes(who, fid, now); break;
                case 21: SetFlags(who, fid); break;
                case 22: SetXattr(who, fid, now); break;
                case 23: Lookup(who, parent, name); break;
                default: OpenOrClose(who, fid); break;
            }
        }
    }

    private void Create(MdtCredentials who, LuFid parent, string name, uint mode, long now)
    {
        uint type = _random.Next(6) switch { 0 or 1 => 0x4000, 2 => 0xA000, 3 => 0x1000, _ => 0x8000 };
        string? target = type == 0xA000 ? "to/" + name.Replace("\0", "", StringComparison.Ordinal) : null;
        uint umask = (uint)_random.Next(2) * 0x12;
        var fid = _random.Next(30) == 0 ? Any() : _mdt.NextFid();
        if (fid == MdtFileSystem.Root)
        {
            return;
        }
        int expected = _model.Create(who, parent, name, fid, type | mode, umask, target, now);
        Check($"create {type:x} {mode:x} {parent}/{name} as {fid} by {who.Uid}", expected, () => _mdt.Fs.Create(who, new CreateArgs
        {
            Parent = parent,
            Name = Utf8(name),
            Fid = fid,
            Mode = type | mode,
            Umask = umask,
            Time = now,
            Target = target == null ? default : Utf8(target),
        }));
        if (expected == 0)
        {
            _known.Add(fid);
        }
    }

    private void Unlink(MdtCredentials who, LuFid parent, string name, long now)
    {
        var kind = (UnlinkKind)_random.Next(3);
        Check($"unlink {kind} {parent}/{name} by {who.Uid}", _model.Unlink(who, parent, name, kind, now),
            () => _mdt.Fs.Unlink(who, new UnlinkArgs { Parent = parent, Name = Utf8(name), Kind = kind, Time = now }));
    }

    private void Rename(MdtCredentials who, LuFid parent, string name, LuFid target, string other, long now)
    {
        var flags = _random.Next(8) switch
        {
            0 => RenameFlags.NoReplace,
            1 => RenameFlags.Exchange,
            2 => (RenameFlags)_random.Next(8),
            _ => RenameFlags.None,
        };
        Check($"rename {flags} {parent}/{name} to {target}/{other} by {who.Uid}",
            _model.Rename(who, parent, name, target, other, flags, now),
            () => _mdt.Fs.Rename(who, new RenameArgs
            {
                SourceParent = parent,
                SourceName = Utf8(name),
                TargetParent = target,
                TargetName = Utf8(other),
                Flags = flags,
                Time = now,
            }));
    }

    private void Chown(MdtCredentials who, LuFid fid)
    {
        uint uid = Users[_random.Next(Users.Length)].Uid, gid = _random.Next(2) == 0 ? 500u : 600u;
        Check($"chown {fid} {uid}:{gid} by {who.Uid}", _model.Chown(who, fid, uid, gid), () => _mdt.Fs.SetAttr(who,
            new SetAttrArgs { Fid = fid, Valid = SetAttrValid.Uid | SetAttrValid.Gid, Uid = uid, Gid = gid }));
    }

    private void Truncate(MdtCredentials who, LuFid fid, long now)
    {
        ulong size = (ulong)_random.NextInt64(1L << 44);
        Check($"truncate {fid} {size} by {who.Uid}", _model.Truncate(who, fid, size, now), () => _mdt.Fs.SetAttr(who,
            new SetAttrArgs
            {
                Fid = fid,
                Valid = SetAttrValid.Size | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet,
                Size = size,
                MTime = now,
                CTime = now,
            }));
    }

    private void SetTimes(MdtCredentials who, LuFid fid, long now)
    {
        long ctime = now - _random.Next(3);
        Check($"times {fid} {ctime} by {who.Uid}", _model.SetTimes(who, fid, now - 5, now - 7, ctime), () => _mdt.Fs.SetAttr(who,
            new SetAttrArgs
            {
                Fid = fid,
                Valid = SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet,
                ATime = now - 5,
                MTime = now - 7,
                CTime = ctime,
            }));
    }

    private void SetFlags(MdtCredentials who, LuFid fid)
    {
        var flags = _random.Next(6) switch { 0 => InodeFlags.Immutable, 1 => InodeFlags.Append, 2 => InodeFlags.NoDump, _ => InodeFlags.None };
        Check($"flags {fid} {flags} by {who.Uid}", _model.SetFlags(who, fid, flags),
            () => _mdt.Fs.SetAttr(who, new SetAttrArgs { Fid = fid, Valid = SetAttrValid.AttrFlags, Flags = flags }));
    }

    private void SetXattr(MdtCredentials who, LuFid fid, long now)
    {
        string name = new[] { "user.a", "user.b", "trusted.t", "security.s" }[_random.Next(4)];
        var flags = (XattrFlags)_random.Next(3);
        string? value = _random.Next(4) == 0 ? null : new string('v', _random.Next(3) == 0 ? 9000 : _random.Next(20));
        int expected = _model.SetXattr(who, fid, name, value, value == null ? 0 : flags, now);
        Check($"xattr {fid} {name} {value?.Length} {flags} by {who.Uid}", expected, () => _ = value == null
            ? _mdt.Fs.RemoveXattr(who, fid, Utf8(name), now)
            : _mdt.Fs.SetXattr(who, fid, Utf8(name), Utf8(value), flags, now));
    }

    private void Lookup(MdtCredentials who, LuFid parent, string name)
    {
        if (!_model.Nodes.TryGetValue(parent, out var node) || !node.IsDirectory || name.Length is 0 or > 255 || name.Contains('/')
            || name.Contains('\0') || who.Uid != 0)
        {
            return;
        }
        var found = _mdt.Fs.Lookup(who, parent, Utf8(name));
        LuFid expected = name switch
        {
            "." => parent,
            ".." => parent == MdtFileSystem.Root ? parent : node.Parent,
            _ => node.Entries.GetValueOrDefault(name),
        };
        Assert.Equal(expected, found.Object.Fid);
        Assert.Equal(!expected.IsZero, found.Found);
    }

    private void OpenOrClose(MdtCredentials who, LuFid fid)
    {
        if (_open.Count > 20 || (_open.Count > 0 && _random.Next(2) == 0))
        {
            int index = _random.Next(_open.Count);
            var (closed, mode) = _open[index];
            _open.RemoveAt(index);
            _model.Close(closed, mode);
            Check($"close {closed}", 0, () => _mdt.Fs.Close(closed, mode, null));
            return;
        }
        var wanted = new[] { OpenMode.Read, OpenMode.Write, OpenMode.Read | OpenMode.Write, OpenMode.Exec }[_random.Next(4)];
        int expected = _model.Open(who, fid, wanted);
        Check($"open {fid} {wanted} by {who.Uid}", expected, () => _mdt.Fs.Open(who, fid, wanted, created: false));
        if (expected == 0)
        {
            _open.Add((fid, wanted));
        }
    }

    private void Check(string what, int expected, Action operation)
    {
        int errno = MdtFixture.ErrnoOf(operation);
        _trace.Add($"{what} = {errno}");
        Successes += errno == 0 ? 1 : 0;
        Assert.True(expected == errno, $"{what}: expected {Errno.Name(expected)}, got {Errno.Name(errno)}");
    }

    private void Restart()
    {
        _mdt.Reopen();
        _model.Restart();
        _open.Clear();
        _known.RemoveAll(fid => !_model.Nodes.ContainsKey(fid));
        Compare(_mdt.Fs, _mdt.Store);
    }

    /// <summary>The files as they are right after a commit, opened by somebody else: what a killed process leaves.</summary>
    private async Task CompareKilledCopyAsync()
    {
        await _mdt.CommitAsync();
        string folder = Directory.CreateTempSubdirectory("nacre-mdt-").FullName;
        try
        {
            lock (_mdt.Store.Gate)
            {
                foreach (string suffix in new[] { "", "-wal" })
                {
                    File.Copy(_mdt.DatabasePath + suffix, Path.Combine(folder, "mdt.db") + suffix);
                }
            }
            using var copy = new MdtFixture(_mdt.Options, folder: folder);
            Compare(copy.Fs, copy.Store, afterRestart: true);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Compare(MdtFileSystem fs, MetadataStore store, bool afterRestart = false)
    {
        lock (store.Gate)
        {
            var living = _model.Nodes.Values.Where(n => !afterRestart || n.NLink > 0).ToList();
            foreach (var node in living)
            {
                CompareNode(fs, node);
            }
            Assert.Equal(living.Count, store.InodeCount);
            foreach (var fid in _known.Where(f => !_model.Nodes.ContainsKey(f)))
            {
                Assert.False(fs.TryGetAttr(fid, out _), $"{fid} should be gone");
            }
        }
    }

    private void CompareNode(MdtFileSystem fs, ReferenceModel.Node node)
    {
        var a = fs.GetAttr(node.Fid).Attributes;
        string expected = $"{node.Fid} {node.Mode:x} {node.Uid}:{node.Gid} {node.NLink} {node.Size} {node.ATime} {node.MTime} {node.CTime} {node.Flags}";
        string actual = $"{a.Fid} {a.Mode:x} {a.Uid}:{a.Gid} {a.NLink} {a.Size} {a.ATime.Seconds} {a.MTime.Seconds} {a.CTime.Seconds} "
            + $"{a.Flags & ~InodeFlags.Orphan}";
        Assert.Equal(expected, actual);
        var xattrs = fs.ListXattrs(node.Fid).Items.Select(x => (Text(x.Name), Text(x.Value)))
            .Where(x => x.Item1 is not ("trusted.lma" or "trusted.link" or "trusted.som"));
        Assert.Equal(node.Xattrs.Select(x => (x.Key, x.Value)), xattrs);
        if (!node.IsDirectory)
        {
            Assert.Equal(node.Target ?? "", Text(fs.GetAttr(node.Fid).Target));
            return;
        }
        var sink = new MdtFixture.ListSink { Room = int.MaxValue };
        fs.ReadDir(node.Fid, 0, ref sink);
        Assert.Equal(sink.Entries.Select(e => e.Cookie).Order().Distinct(), sink.Entries.Select(e => e.Cookie));
        if (node.NLink == 0)
        {
            Assert.Empty(sink.Entries);
            return;
        }
        Assert.Equal([(".", node.Fid), ("..", node.Fid == MdtFileSystem.Root ? node.Fid : node.Parent)],
            sink.Entries.Take(2).Select(e => (e.Name, e.Fid)));
        Assert.Equal(node.Entries.Select(e => (e.Key, e.Value, _model.Nodes[e.Value].Mode & 0xF000)),
            sink.Entries.Skip(2).OrderBy(e => e.Name, StringComparer.Ordinal).Select(e => (e.Name, e.Fid, e.Type)));
        CompareLinks(fs, node);
    }

    /// <summary>Every name of a child is among the links fid2path knows.</summary>
    private void CompareLinks(MdtFileSystem fs, ReferenceModel.Node directory)
    {
        foreach (var (name, fid) in directory.Entries)
        {
            string path = PathOf(directory) is { Length: > 0 } above ? $"{above}/{name}" : name;
            var paths = new List<string>();
            bool more = true;
            for (uint link = 0; more; link++)
            {
                var found = fs.PathOf(fid, link, MdtFileSystem.Root, 1 << 20);
                paths.Add(Encoding.UTF8.GetString(found.Path));
                more = found.MoreLinks;
            }
            Assert.Contains(path, paths);
        }
    }

    private string PathOf(ReferenceModel.Node directory)
    {
        if (directory.Fid == MdtFileSystem.Root)
        {
            return "";
        }
        var parent = _model.Nodes[directory.Parent];
        string name = parent.Entries.Single(e => e.Value == directory.Fid).Key;
        return PathOf(parent) is { Length: > 0 } above ? $"{above}/{name}" : name;
    }

    private string Name() => Names[_random.Next(10) < 8 ? _random.Next(6) : _random.Next(Names.Length)];

    private LuFid Any() => _known[_random.Next(_known.Count)];

    private LuFid AnyDirectory()
    {
        for (int attempt = 0; attempt < 10; attempt++)
        {
            var fid = Any();
            if (_model.Nodes.TryGetValue(fid, out var node) && node.IsDirectory)
            {
                return fid;
            }
        }
        return Any();
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
