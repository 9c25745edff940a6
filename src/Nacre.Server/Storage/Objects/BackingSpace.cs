namespace Nacre.Server.Storage.Objects;

/// <summary>
/// The file system under one or more stores. Several targets on one disk promise (grant) out of the same free space, so the
/// sum of their promises is kept here. All sizes in bytes.
/// </summary>
public sealed class BackingSpace
{
    private const long LargestReserve = 1L << 30;
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);
    private static readonly Lock KnownGate = new();
    private static readonly Dictionary<string, BackingSpace> Known = [];

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    /// <summary>The stores here; any of them can be asked.</summary>
    private readonly List<IObjectFiles> _members = [];
    private FileSystemSpace _space;
    private long _asked;
    private long _consumed;
    private long _promised;
    private Func<long>? _withheld;

    private BackingSpace(TimeProvider time) => _time = time;

    /// <summary>The one instance of a file system, which the store leaves when it is closed.</summary>
    internal static BackingSpace Join(IObjectFiles files, TimeProvider time, Func<long>? withheld = null)
    {
        lock (KnownGate)
        {
            if (!Known.TryGetValue(files.BackingIdentity, out var backing))
                Known[files.BackingIdentity] = backing = new BackingSpace(time);
            lock (backing._gate)
            {
                backing._members.Add(files);
                backing._withheld = withheld ?? backing._withheld;
                backing.RefreshLocked();
            }
            return backing;
        }
    }

    internal void Leave(IObjectFiles files)
    {
        lock (KnownGate)
        {
            lock (_gate)
            {
                _members.Remove(files);
                if (_members.Count == 0) Known.Remove(files.BackingIdentity);
            }
        }
    }

    /// <summary>Grant that clients of all stores here hold, and writes under way.</summary>
    public long Promised => Interlocked.Read(ref _promised);

    /// <summary>Adds to <see cref="Promised"/>; negative to release.</summary>
    public void Promise(long bytes) => Interlocked.Add(ref _promised, bytes);

    /// <summary>
    /// Free bytes above the reserve: 1 % of the file system, at most 1 GiB, is never used, so that a metadata store beside
    /// the objects and the file system's own trees keep working, nor is what a <see cref="SpaceReserve"/> gave up. Asks the file system when its last answer is a second old.
    /// </summary>
    public long Free
    {
        get
        {
            lock (_gate)
            {
                if (_time.GetElapsedTime(_asked) > MaxAge) RefreshLocked();
                long reserve = Math.Min(_space.Total / 100, LargestReserve) + (_withheld?.Invoke() ?? 0);
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
        _asked = _time.GetTimestamp();
        foreach (var files in _members)
        {
            try
            {
                long before = Interlocked.Read(ref _consumed);
                _space = files.QuerySpace();
                Interlocked.Add(ref _consumed, -before);
                return;
            }
            catch (FsException)
            {
                // Its folder is gone; another may know, else the last answer stays.
            }
        }
    }
}
