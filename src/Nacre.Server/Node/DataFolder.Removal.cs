using System.Globalization;
using System.Text.Json;

namespace Nacre.Server.Node;

// File systems on their way out. A removal is one rename: before it the file system is whole, after it only its data is left to be deleted.
public sealed partial class DataFolder
{
    private const string RemovedMark = ".removed-";
    private volatile RemovedRecord _removed = RemovedRecord.None;

    /// <summary>File systems removed so far.</summary>
    internal uint RemovedCount => _removed.Count;

    private string RemovedFile => System.IO.Path.Combine(Path, "removed.json");

    /// <summary>Whether a file system of this name was removed here, lately. One of that name may exist again.</summary>
    internal bool WasRemoved(string name) => _removed.Names.Contains(name);

    /// <summary>Notes that a file system is going to be removed: what is made from now on is of another generation.</summary>
    internal void NoteRemoval(string name)
    {
        var removed = _removed.With(name);
        Replace(RemovedFile, JsonSerializer.SerializeToUtf8Bytes(removed, FileSystemRecordContext.Default.RemovedRecord));
        _removed = removed;
    }

    /// <summary>Takes a noted file system out of the ones the folder holds; on return that is on disk. No such file system is no error.</summary>
    internal void Detach(string name)
    {
        var folder = FileSystemFolder(name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        Directory.Move(folder, string.Create(CultureInfo.InvariantCulture, $"{folder}{RemovedMark}{_removed.Count}"));
        Storage.DiskSync.Directory(FileSystemsFolder);
    }

    /// <summary>Folders of removed file systems that are not deleted yet, with the names these had.</summary>
    internal IReadOnlyList<(string Name, string Folder)> Detached() =>
        [.. Directory.GetDirectories(FileSystemsFolder).Where(folder => !IsNotRemoved(folder)).Select(folder => (NameOf(folder), folder))];

    private static bool IsNotRemoved(string folder) => !System.IO.Path.GetFileName(folder).Contains(RemovedMark, StringComparison.Ordinal);

    private static string NameOf(string removedFolder)
    {
        var name = System.IO.Path.GetFileName(removedFolder);
        return name[..name.IndexOf(RemovedMark, StringComparison.Ordinal)];
    }

    private static RemovedRecord ReadRemoved(string file)
    {
        if (!File.Exists(file))
        {
            return RemovedRecord.None;
        }

        try
        {
            using var stream = File.OpenRead(file);
            return JsonSerializer.Deserialize(stream, FileSystemRecordContext.Default.RemovedRecord) is { Names: not null } record
                ? record
                : throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new NodeConfigurationException($"{file} is damaged: {e.Message}", e);
        }
    }
}
