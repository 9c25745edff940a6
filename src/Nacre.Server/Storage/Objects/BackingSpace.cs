using System.Collections.Concurrent;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// The file system under one or more stores. Several targets on one disk promise (grant) out of the same free space, so the
/// sum of their promises is kept here. All sizes in bytes.
/// </summary>
public sealed class BackingSpace
{
    private static readonly ConcurrentDictionary<string, BackingSpace> Known = new();
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);
    private const long LargestReserve = 1L << 30;

    private readonly Func<FileSystemSpace> _query;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private FileSystemSpace _space;
    private long _asked;
    private long _consumed;
    private long _promised;

    internal BackingSpace(Func<FileSystemSpace> query, TimeProvider time)
    {
        _query = query;
        _time = time;
        Refresh();
    }

    /// <summary>The one instance of a file system.</summary>
    internal static BackingSpace Of(IObjectFiles files, TimeProvider time) =>
        Known.GetOrAdd(files.BackingIdentity, _ => new BackingSpace(files.QuerySpace, time));

    /// <summary>Grant that clients of all stores here hold, and writes under way.</summary>
    public long Promised => Interlocked.Read(ref _promised);

    /// <summary>Adds to <see cref="Promised"/>; negative to release.</summary>
    public void Promise(long bytes) => Interlocked.Add(ref _promised, bytes);

    /// <summary>
    /// Free bytes above the reserve: 1 % of the file system, at most 1 GiB, is never used, so that a metadata store beside
    /// the objects and the file system's own trees keep working. Asks the file system when its last answer is a second old.
    /// </summary>
    public long Free
    {
        get
        {
            lock (_gate)
            {
                if (_time.GetElapsedTime(_asked) > MaxAge) RefreshLocked();
                long reserve = Math.Min(_space.Total / 100, LargestReserve);
                return Math.Max(0, _space.Free - reserve - Interlocked.Read(ref _consumed));
            }
        }
    }

    public long FreeFiles { get { lock (_gate) return _space.FreeFiles; } }

    /// <summary>Blocks allocated since the file system was asked; negative when freed.</summary>
    internal void Consume(long bytes) => Interlocked.Add(ref _consumed, bytes);

    public void Refresh()
    {
        lock (_gate) RefreshLocked();
    }

    private void RefreshLocked()
    {
        Interlocked.Exchange(ref _consumed, 0);
        _space = _query();
        _asked = _time.GetTimestamp();
    }
}
