namespace Nacre.Cli.Lfs;

/// <summary><c>lfs getstripe</c>: layouts of files, and of directories the default with the files in them.</summary>
internal sealed class GetStripe(TextWriter output)
{
    private static readonly Options Known = new(
        "d:directory", "D:default", "r:recursive", "v:verbose", "q:quiet", "c:stripe-count:count", "S:stripe-size:size", "i:stripe-index:stripe-offset",
        "L:layout", "g:generation", "p:pool", "y:yaml");

    private LayoutFields _fields;
    private bool _directoryOnly, _recursive, _isVerbose, _isQuiet;

    public static void Run(IReadOnlyList<string> arguments, TextWriter output)
    {
        var (options, paths) = Known.Read(arguments);
        var command = new GetStripe(output);
        foreach (var (name, _) in options) command.Take(name);
        if (paths.Count == 0) throw new LfsException("which files?");
        foreach (var path in paths) command.Show(path);
    }

    private void Take(string option)
    {
        switch (option)
        {
            case "d" or "D": _directoryOnly = true; break;
            case "r": _recursive = true; break;
            case "v": _isVerbose = true; break;
            case "q": _isQuiet = true; break;
            case "y": throw new LfsException("YAML is not written yet");
            default: _fields |= FieldOf(option); break;
        }
    }

    private static LayoutFields FieldOf(string option) => option switch
    {
        "c" => LayoutFields.StripeCount,
        "S" => LayoutFields.StripeSize,
        "i" => LayoutFields.StripeOffset,
        "L" => LayoutFields.Pattern,
        "g" => LayoutFields.Generation,
        _ => LayoutFields.Pool,
    };

    private void Show(string path)
    {
        var errno = FileCalls.Stat(path, out var status);
        if (errno != 0) throw LustreFiles.Failed(path, errno);
        if (!status.IsDirectory)
        {
            ShowFile(path);
            return;
        }

        ShowDefault(path);
        if (!_directoryOnly) ShowEntries(path);
    }

    private void ShowFile(string path)
    {
        var layout = LustreFiles.LayoutOf(path, isDirectory: false);
        if (_fields != LayoutFields.None)
        {
            if (layout is not null) LayoutText.WriteFields(output, layout, _fields, isDefault: false);
            return;
        }

        if (layout is null)
        {
            output.Write($"{path} has no stripe info\n");
            return;
        }

        output.Write($"{path}\n");
        if (_isQuiet) LayoutText.WriteObjects(output, layout);
        else LayoutText.WriteFile(output, layout, _isVerbose);
    }

    /// <summary>Its own default, or the file system's, which is what counts for new files.</summary>
    private void ShowDefault(string path)
    {
        var layout = LustreFiles.LayoutOf(path, isDirectory: true)
            ?? LustreFiles.LayoutOf(LustreFiles.MountOf(path).MountPoint, isDirectory: true);
        if (!_directoryOnly && _fields == LayoutFields.None) output.Write($"{path}\n");
        if (layout is null) output.Write($"{path} has no stripe info\n");
        else if (_fields != LayoutFields.None) LayoutText.WriteFields(output, layout, _fields, isDefault: true);
        else LayoutText.WriteDefault(output, layout);
    }

    private void ShowEntries(string folder)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            var path = Path.Combine(folder, entry.Name);
            if (FileCalls.Stat(path, out var status) != 0) continue;
            if (status.IsRegular) ShowFile(path);
            else if (status.IsDirectory && _recursive) Show(path);
        }
    }
}
