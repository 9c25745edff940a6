namespace Nacre.Cli.Lfs;

/// <summary><c>lfs find</c>: walks directories and names the files for which all tests hold. A file that goes away meanwhile is passed over.</summary>
internal sealed class Find(TextWriter output, TextWriter error)
{
    private readonly List<Predicate<FoundFile>> _tests = [];
    private int _minDepth;
    private int _maxDepth = int.MaxValue;
    private char _end = '\n';
    private bool _failed;

    /// <returns>False when something could not be looked at.</returns>
    public static bool Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        var find = new Find(output, error);
        var paths = arguments.TakeWhile(static word => !word.StartsWith('-') && word != "!").ToList();
        find.ReadTests([.. arguments.Skip(paths.Count)]);
        if (paths.Count == 0) throw new LfsException("where? lfs find DIRECTORY [TEST...]");
        foreach (var path in paths)
        {
            LustreFiles.MountOf(path);
            find.Walk(new FoundFile(path, Path.GetFileName(Path.TrimEndingDirectorySeparator(path))), 0);
        }

        return !find._failed;
    }

    private void ReadTests(string[] words)
    {
        var negated = false;
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] == "!")
            {
                negated = !negated;
                continue;
            }

            var name = words[i].TrimStart('-');
            if (name is "print" or "print0" or "P" or "p" or "0")
            {
                _end = name is "print0" or "0" ? '\0' : _end;
                continue;
            }

            if (++i == words.Length) throw new LfsException($"-{name} needs a value");
            if (!TakeDepth(name, words[i])) AddTest(name, words[i], negated);
            negated = false;
        }
    }

    private bool TakeDepth(string name, string value)
    {
        if (name is not ("maxdepth" or "mindepth" or "D")) return false;
        if (!int.TryParse(value, out var depth) || depth < 0) throw new LfsException($"-{name} {value}: a number is needed");
        if (name == "mindepth") _minDepth = depth;
        else _maxDepth = depth;
        return true;
    }

    private void AddTest(string name, string value, bool negated)
    {
        var make = FindTests.Find(name) ?? throw new LfsException($"there is no test -{name}");
        var test = make(value);
        _tests.Add(negated ? file => !test(file) : test);
    }

    private void Walk(FoundFile file, int depth)
    {
        try
        {
            if (depth >= _minDepth && _tests.TrueForAll(test => test(file))) output.Write(file.Path + _end);
            if (depth < _maxDepth && file.Status.IsDirectory) WalkInto(file.Path, depth);
        }
        catch (Exception e) when (e is LfsException or UnauthorizedAccessException or IOException)
        {
            // Gone since its folder was read: nobody asked for it.
            if (depth > 0 && FileCalls.Stat(file.Path, out _) == PtlRpc.Wire.Errno.ENOENT) return;
            error.WriteLine($"lfs find: {e.Message}");
            _failed = true;
        }
    }

    private void WalkInto(string folder, int depth)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(folder))
        {
            var name = Path.GetFileName(entry);
            Walk(new FoundFile($"{Path.TrimEndingDirectorySeparator(folder)}/{name}", name), depth + 1);
        }
    }
}
