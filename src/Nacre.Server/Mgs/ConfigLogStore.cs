using System.Diagnostics.CodeAnalysis;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>
/// The configuration logs of a node, one file a log in one folder, named as the log. A change is written beside the old file, synced and
/// renamed over it before anybody can read it, so a log on disk is always whole and never behind what a client has executed.
/// Thread-safe.
/// </summary>
internal sealed class ConfigLogStore
{
    /// <summary>Sequence of log identifiers, as genuine servers use (04 section 4.2).</summary>
    private const ulong LogSequence = 10;

    private readonly string folder;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Dictionary<string, ulong> ids = [];
    private readonly Dictionary<ulong, ConfigLog> logs = [];

    public ConfigLogStore(string folder, TimeProvider time)
    {
        this.folder = folder;
        this.time = time;
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            if (path.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            {
                File.Delete(path);
                continue;
            }

            Register(Path.GetFileName(path), LoadFile(path));
        }
    }

    private const string TemporarySuffix = ".tmp";

    public bool Exists(string name)
    {
        lock (gate)
        {
            return ids.ContainsKey(name);
        }
    }

    public bool TryOpen(string name, out LlogLogid id)
    {
        lock (gate)
        {
            var found = ids.TryGetValue(name, out var number);
            id = new LlogLogid { ObjectId = number, ObjectSequence = LogSequence };
            return found;
        }
    }

    /// <summary>Runs <paramref name="read"/> over a log that does not change meanwhile.</summary>
    /// <returns>False when there is no such log.</returns>
    public bool TryRead(in LlogLogid id, Action<ConfigLog> read)
    {
        lock (gate)
        {
            if (id.ObjectSequence != LogSequence || !TryGet(id.ObjectId, out var log))
            {
                return false;
            }

            read(log);
            return true;
        }
    }

    /// <summary>Changes a log, making it first where it does not exist. On return the change is on disk; on an exception nothing changed.</summary>
    /// <exception cref="IOException">The log could not be written.</exception>
    public void Change(string name, Action<ConfigLog> change)
    {
        lock (gate)
        {
            var copy = ids.TryGetValue(name, out var number)
                ? ConfigLog.Load(logs[number].Bytes.ToArray())
                : ConfigLog.Create(time.GetUtcNow());
            change(copy);
            WriteFile(name, copy);
            if (number != 0)
            {
                logs[number] = copy;
            }
            else
            {
                Register(name, copy);
            }
        }
    }

    private bool TryGet(ulong number, [NotNullWhen(true)] out ConfigLog? log) => logs.TryGetValue(number, out log);

    private void Register(string name, ConfigLog log)
    {
        var number = (ulong)ids.Count + 1;
        ids.Add(name, number);
        logs.Add(number, log);
    }

    private static ConfigLog LoadFile(string path)
    {
        try
        {
            return ConfigLog.Load(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"configuration log {path}: {e.Message}", e);
        }
    }

    private void WriteFile(string name, ConfigLog log)
    {
        var path = Path.Combine(folder, name);
        using (var file = new FileStream(path + TemporarySuffix, FileMode.Create, FileAccess.Write))
        {
            file.Write(log.Bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(path + TemporarySuffix, path, overwrite: true);
        Storage.DiskSync.Directory(folder);
    }
}
