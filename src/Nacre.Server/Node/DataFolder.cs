using System.Globalization;
using System.Text;
using System.Text.Json;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Node;

/// <summary>
/// The data folder of a node: a format file, a lock held as long as the node runs, the configuration logs, and one folder a
/// file system with one folder a target in it.
/// <code>
/// nacre.format             "nacre data 1"
/// nacre.lock               held by the running node
/// mgs/NAME-client          configuration logs
/// filesystems/NAME/        filesystem.json, mdt0000/, ost0000/, ost0001/ ...
/// filesystems/NAME.removed-N/  on its way out
/// removed.json             how many file systems were removed, and the names of the last ones
/// </code>
/// </summary>
public sealed partial class DataFolder : IDisposable
{
    /// <summary>Raised whenever an older node could not read what a newer one has written.</summary>
    public const int FormatVersion = 1;

    private const string FormatPrefix = "nacre data ";
    private readonly FileStream _lockFile;

    private DataFolder(string path, FileStream lockFile)
    {
        Path = path;
        _lockFile = lockFile;
    }

    public string Path { get; }

    public string MgsFolder => System.IO.Path.Combine(Path, "mgs");

    private string FileSystemsFolder => System.IO.Path.Combine(Path, "filesystems");

    /// <summary>Opens the folder, making it where it does not exist.</summary>
    /// <exception cref="NodeConfigurationException">It is in use, of a newer format, or not accessible.</exception>
    public static DataFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(path);
            var folder = new DataFolder(path, Lock(path));
            try
            {
                folder.CheckFormat();
                folder._removed = ReadRemoved(folder.RemovedFile);
                Directory.CreateDirectory(folder.FileSystemsFolder);
                return folder;
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeConfigurationException($"data folder {path}: {e.Message}", e);
        }
    }

    /// <summary>The file systems the folder holds, by name.</summary>
    public IReadOnlyList<FileSystemRecord> FileSystems()
    {
        var records = new List<FileSystemRecord>();
        foreach (var folder in Directory.GetDirectories(FileSystemsFolder).Where(IsNotRemoved).Order(StringComparer.Ordinal))
        {
            var file = System.IO.Path.Combine(folder, RecordName);
            if (File.Exists(file))
            {
                records.Add(Read(file));
            }
            else if (Directory.GetDirectories(folder).Length != 0)
            {
                // The record is made before any target; a kill in between leaves a folder without targets.
                throw new NodeConfigurationException($"{folder} holds targets, but its {RecordName} is missing");
            }
        }

        return records;
    }

    /// <summary>The record of a file system; null when the folder does not hold it.</summary>
    internal FileSystemRecord? Find(string name)
    {
        var file = System.IO.Path.Combine(FileSystemFolder(name), RecordName);
        return File.Exists(file) ? Read(file) : null;
    }

    /// <summary>Keeps a file system's record: on return it is on disk.</summary>
    public void Save(FileSystemRecord record)
    {
        var folder = FileSystemFolder(record.Name);
        Directory.CreateDirectory(folder);
        var file = System.IO.Path.Combine(folder, RecordName);
        Replace(file, JsonSerializer.SerializeToUtf8Bytes(record, FileSystemRecordContext.Default.FileSystemRecord));
        Storage.DiskSync.Directory(FileSystemsFolder);
    }

    /// <summary>Where a target keeps its store, for instance <c>ost0001</c>.</summary>
    public string TargetFolder(string fileSystem, string kind, int index) =>
        System.IO.Path.Combine(FileSystemFolder(fileSystem), string.Create(CultureInfo.InvariantCulture, $"{kind}{index:x4}"));

    /// <inheritdoc/>
    public void Dispose() => _lockFile.Dispose();

    private const string RecordName = "filesystem.json";

    private string FileSystemFolder(string name) => System.IO.Path.Combine(FileSystemsFolder, name);

    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, "nacre.lock");
        try
        {
            // FileShare.None takes an advisory lock on Linux, which ends with the process however that ends.
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == Errno.EAGAIN)
        {
            throw new NodeConfigurationException($"data folder {path} is in use by another process", e);
        }
    }

    private void CheckFormat()
    {
        var file = System.IO.Path.Combine(Path, "nacre.format");
        if (!File.Exists(file))
        {
            if (Directory.EnumerateFileSystemEntries(Path).Any(entry => System.IO.Path.GetFileName(entry) is not ("nacre.lock" or "nacre.format.tmp")))
            {
                throw new NodeConfigurationException($"data folder {Path} is not empty and not of Nacre");
            }

            Replace(file, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{FormatPrefix}{FormatVersion}\n")));
            return;
        }

        var text = File.ReadAllText(file).Trim();
        if (!text.StartsWith(FormatPrefix, StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(FormatPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            throw new NodeConfigurationException($"data folder {Path}: nacre.format is damaged");
        }

        if (version > FormatVersion)
        {
            throw new NodeConfigurationException(
                $"data folder {Path} has format {version}, this nacre knows formats up to {FormatVersion}: use a newer nacre");
        }
    }

    /// <summary>Puts new contents in a file's place; after a kill or a power cut it holds the old ones or the new ones.</summary>
    private static void Replace(string file, ReadOnlySpan<byte> contents)
    {
        using (var stream = new FileStream(file + ".tmp", FileMode.Create, FileAccess.Write))
        {
            stream.Write(contents);
            stream.Flush(flushToDisk: true);
        }

        File.Move(file + ".tmp", file, overwrite: true);
        Storage.DiskSync.Directory(System.IO.Path.GetDirectoryName(file)!);
    }

    private static FileSystemRecord Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var record = JsonSerializer.Deserialize(stream, FileSystemRecordContext.Default.FileSystemRecord)
                ?? throw new JsonException("it is empty");
            return record.Name == System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(file))
                && record.OstCount is >= 1 and <= FileSystemSpec.MaxOsts
                && record.CapacityGib >= 1
                ? record
                : throw new JsonException($"it describes a file system '{record.Name}' of {record.OstCount} OSTs and {record.CapacityGib} GiB");
        }
        catch (JsonException e)
        {
            throw new NodeConfigurationException($"{file} is damaged: {e.Message}", e);
        }
    }
}
