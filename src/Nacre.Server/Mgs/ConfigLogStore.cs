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

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ulong> _ids = [];
    private readonly Dictionary<ulong, ConfigLog> _logs = [];
    private ulong _lastId;

    public ConfigLogStore(string folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
        Directory.CreateDirectory(_folder);
        foreach (var path in Directory.GetFiles(_folder).Order(StringComparer.Ordinal))
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
        lock (_gate)
        {
            return _ids.ContainsKey(name);
        }
    }

    /// <summary>Names of the logs there are.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return [.. _ids.Keys];
            }
        }
    }

    public bool TryOpen(string name, out LlogLogid id)
    {
        lock (_gate)
        {
            var found = _ids.TryGetValue(name, out var number);
            id = new LlogLogid { ObjectId = number, ObjectSequence = LogSequence };
            return found;
        }
    }

    /// <summary>Runs <paramref name="read"/> over a log that does not change meanwhile.</summary>
    /// <returns>False when there is no such log.</returns>
    public bool TryRead(in LlogLogid id, Action<ConfigLog> read)
    {
        lock (_gate)
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
        lock (_gate)
        {
            var copy = _ids.TryGetValue(name, out var number)
                ? ConfigLog.Load(_logs[number].Bytes.ToArray())
                : ConfigLog.Create(_time.GetUtcNow());
            change(copy);
            WriteFile(name, copy);
            if (number != 0)
            {
                _logs[number] = copy;
            }
            else
            {
                Register(name, copy);
            }
        }
    }

    /// <summary>Removes a log; on return that is on disk. Its identifier is not used again by this process. No such log is no error.</summary>
    /// <exception cref="IOException">The file could not be removed.</exception>
    public void Remove(string name)
    {
        lock (_gate)
        {
            if (!_ids.TryGetValue(name, out var number))
            {
                return;
            }

            File.Delete(Path.Combine(_folder, name));
            Storage.DiskSync.Directory(_folder);
            _ids.Remove(name);
            _logs.Remove(number);
        }
    }

    private bool TryGet(ulong number, [NotNullWhen(true)] out ConfigLog? log) => _logs.TryGetValue(number, out log);

    private void Register(string name, ConfigLog log)
    {
        var number = ++_lastId;
        _ids.Add(name, number);
        _logs.Add(number, log);
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
        var path = Path.Combine(_folder, name);
        using (var file = new FileStream(path + TemporarySuffix, FileMode.Create, FileAccess.Write))
        {
            file.Write(log.Bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(path + TemporarySuffix, path, overwrite: true);
        Storage.DiskSync.Directory(_folder);
    }
}
