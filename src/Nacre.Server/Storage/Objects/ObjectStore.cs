using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// The objects of one target as sparse files in hashed folders of a local file system (<see cref="LinuxObjectFiles"/>).
/// <para>
/// Durability: what a call has completed is in the page cache, so it survives a killed process; a flush each second bounds
/// what a power cut takes; <see cref="IStoredObject.SyncAsync"/> and <see cref="DestroyAsync"/> wait for the disk.
/// </para>
/// <para>
/// Memory: an object in use or not flushed stays open; of the others the last
/// <see cref="MaxOpenObjects"/> used do.
/// </para>
/// </summary>
public sealed partial class ObjectStore : IObjectStore
{
    private const string FormatNote = "format", EpochNote = "epoch", UsageNote = "usage";
    private const int CurrentFormat = 1;
    private const int BlockBytes = 4096;

    private readonly ObjectStoreOptions _options;
    private long _capacity;
    private readonly ILogger _log;
    private readonly StoreUsage _usage = new();
    private readonly Tombstones _tombstones;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _flusher;
    private readonly Task _remover;
    private int _disposed;

    internal ObjectStore(IObjectFiles files, ObjectStoreOptions options, TimeProvider time, ILogger<ObjectStore> log)
    {
        Files = files;
        Time = time;
        _options = options;
        _capacity = options.CapacityBytes;
        _maxOpenObjects = options.MaxOpenObjects;
        _log = log;
        _tombstones = new Tombstones(time);
        CheckFormat();
        Epoch = NextEpoch();
        LoadUsage();
        Backing = BackingSpace.Join(files, time, options.Withheld);
        _flusher = Task.Run(RunFlusherAsync);
        _remover = Task.Run(RunRemoverAsync);
    }

    /// <summary>Opens the store in <paramref name="folder"/>, or makes it there.</summary>
    /// <exception cref="InvalidDataException">The folder is of a newer format, or its file system lacks something.</exception>
    /// <exception cref="FsException">The disk failed.</exception>
    public static ObjectStore Open(string folder, ObjectStoreOptions options, TimeProvider time, ILogger<ObjectStore> log)
    {
        Directory.CreateDirectory(folder);
        return new ObjectStore(new LinuxObjectFiles(folder), options, time, log);
    }

    internal IObjectFiles Files { get; }

    internal TimeProvider Time { get; }

    public long MaxObjectBytes => Files.MaxFileBytes;

    public uint Epoch { get; }

    public BackingSpace Backing { get; }

    /// <summary>Bytes the target may use, from now on. What is stored stays, also where it is more.</summary>
    public long CapacityBytes
    {
        get => Volatile.Read(ref _capacity);
        set => Volatile.Write(ref _capacity, value);
    }

    public ObjectStoreSpace Space()
    {
        long capacity = CapacityBytes;
        var (used, objects) = _usage.Total;
        long free = Math.Max(0, Math.Min(capacity - used, Backing.Free));
        return new ObjectStoreSpace(capacity, used, free, objects, Math.Min(Backing.FreeFiles, free / BlockBytes));
    }

    public ObjectStoreSpace RefreshSpace()
    {
        Backing.Refresh();
        return Space();
    }

    public OwnerUsage Usage(OwnerKind kind, uint id) => _usage.Of(kind, id);

    public bool IsDestroyed(in LuFid fid) => _tombstones.Contains(ObjectKey.Of(fid));

    /// <summary>An object changed, was made (<paramref name="objects"/> 1) or removed (-1).</summary>
    internal void Account(in ObjectAttributes before, in ObjectAttributes after, int objects)
    {
        if (objects > 0) _usage.Add(after);
        else if (objects < 0) _usage.Remove(before);
        else _usage.Move(before, after);
        if (before.Blocks != after.Blocks) Backing.Consume(512 * (after.Blocks - before.Blocks));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _removals.Writer.TryComplete();
        await _remover.ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _flusher.ConfigureAwait(false);
        await SyncAsync(CancellationToken.None).ConfigureAwait(false);
        CloseIdle();
        SaveUsage();
        Backing.Leave(Files);
        Files.Dispose();
        _stopping.Dispose();
        _oneFlush.Dispose();
    }

    private void CheckFormat()
    {
        if (Files.ReadNote(FormatNote) is not { } note)
        {
            Files.WriteNote(FormatNote, Number(CurrentFormat));
            return;
        }
        if (ParseNumber(note) != CurrentFormat)
            throw new InvalidDataException($"the object store has format {Encoding.ASCII.GetString(note)}; this version knows {CurrentFormat}");
    }

    private uint NextEpoch()
    {
        uint epoch = (Files.ReadNote(EpochNote) is { } note ? ParseNumber(note) : 0) + 1;
        Files.WriteNote(EpochNote, Number(epoch));
        return epoch;
    }

    /// <summary>
    /// Takes up the snapshot of an orderly close, which is good for one start, or else counts the files.
    /// </summary>
    private void LoadUsage()
    {
        if (Files.ReadNote(UsageNote) is { } saved)
        {
            Files.WriteNote(UsageNote, null);
            if (_usage.TryLoad(saved)) return;
        }
        long started = Time.GetTimestamp();
        foreach (var key in Files.List())
        {
            using var file = Files.Open(key);
            if (file != null) _usage.Add(StoredObject.ReadAttributes(file));
        }
        LogCounted(_usage.Total.Objects, _usage.Total.Bytes, Time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Without the snapshot (a full disk, a folder that is gone) the next start counts; that must not keep others from closing.</summary>
    private void SaveUsage()
    {
        try
        {
            Files.WriteNote(UsageNote, _usage.Save());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FsException)
        {
            LogUsageNotSaved(e.Message);
        }
    }

    private static byte[] Number(uint value) => Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));

    private static uint ParseNumber(byte[] note) =>
        uint.TryParse(note, NumberStyles.None, CultureInfo.InvariantCulture, out uint value)
            ? value
            : throw new InvalidDataException("a note of the object store is damaged");

    [LoggerMessage(6001, LogLevel.Information, "counted {Objects} objects with {Bytes} bytes in {Milliseconds} ms")]
    private partial void LogCounted(long objects, long bytes, double milliseconds);

    [LoggerMessage(6007, LogLevel.Warning, "usage could not be saved, the next start counts the objects: {Reason}")]
    private partial void LogUsageNotSaved(string reason);

    [LoggerMessage(6002, LogLevel.Error, "flush of object {Object} failed with errno {Errno}: what was written last may be lost")]
    private partial void LogFlushFailed(LuFid @object, int errno);

    [LoggerMessage(6003, LogLevel.Error, "removal of object {Object} failed with errno {Errno}")]
    private partial void LogRemovalFailed(LuFid @object, int errno);

    [LoggerMessage(6005, LogLevel.Critical, "a fault of the server while {Doing}")]
    private partial void LogUnexpected(Exception unexpected, string doing);

    [LoggerMessage(6004, LogLevel.Error, "flush of the store failed with errno {Errno}; flushing its objects one by one")]
    private partial void LogFlushAllFailed(int errno);
}
