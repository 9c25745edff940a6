using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Storage;

/// <summary>
/// Space kept back on a disk for the moment when it is full: an allocated file that is made shorter when the metadata store needs
/// room, so that a node can start and files can be removed with no byte free. As long as the file is not whole the disk
/// <see cref="IsShort"/>: only what frees space is let in. It is made whole again as soon as there is room.
/// </summary>
/// <remarks>
/// Invariants: <c>_held</c> is the length of the file, all of it allocated; it shrinks only in <see cref="Require"/>, by what is
/// asked for and not free, and grows only while <see cref="Headroom"/> stays free beside it. Where the file system cannot allocate
/// ahead there is no reserve, and the disk is never short. Safe for any thread.
/// </remarks>
public sealed partial class SpaceReserve : IDisposable
{
    /// <summary>Name of the file in its folder.</summary>
    public const string FileName = "nacre.reserve";

    /// <summary>Default size in bytes. A start takes 2 MiB, the write-ahead log of a full disk 4 to 8; the rest is for the
    /// growth of the database while tens of thousands of removals are queued, and for other programs that take what is
    /// released before the node does.</summary>
    public const long DefaultBytes = 64L << 20;

    /// <summary>Bytes by which the reserve shrinks and grows.</summary>
    private const long Step = 128L << 10;

    /// <summary>Free bytes left beside the reserve when it grows: what the next transactions need, so that it does not shrink at once.</summary>
    private const long Headroom = 2L << 20;

    /// <summary>The reserve takes no larger part of a small disk than one in this number.</summary>
    private const long SmallestPart = 8;

    private static readonly TimeSpan RefillInterval = TimeSpan.FromSeconds(1);

    private readonly string _folder;
    private long _size;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private int _file = -1;
    private long _held;
    private bool _disposed;

    /// <param name="folder">Where the file is kept: on the disk of the metadata.</param>
    /// <param name="bytes">Its size; 0 keeps nothing back.</param>
    /// <param name="time">Clock of the refill.</param>
    /// <param name="log">Told when the reserve is used and when it is whole.</param>
    public SpaceReserve(string folder, long bytes, TimeProvider time, ILogger log)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _folder = folder;
        _log = log;
        _size = Math.Min(bytes, Space().Total / SmallestPart) / Step * Step;
        lock (_gate)
            OpenFile();
        Refill();
        _timer = time.CreateTimer(static state => ((SpaceReserve)state!).Refill(), this, RefillInterval, RefillInterval);
    }

    /// <summary>The disk is full but for what is left of the reserve.</summary>
    public bool IsShort => MissingBytes > 0;

    /// <summary>Bytes of the reserve that were given up: they are free, and for nobody but the metadata.</summary>
    public long MissingBytes => Interlocked.Read(ref _size) - Interlocked.Read(ref _held);

    /// <summary>Whether a folder is on the disk of this reserve.</summary>
    internal bool Covers(string folder) => ObjectSystemCalls.Device(folder) == ObjectSystemCalls.Device(_folder);

    /// <summary>Sees to it that <paramref name="bytes"/> are free, as far as the reserve goes. Waits for the disk when it has to
    /// be touched; else asks the file system how much is free.</summary>
    public void Require(long bytes)
    {
        if (_size == 0)
        {
            return;
        }
        lock (_gate)
        {
            if (_disposed || _held == 0 || !TryGetFree(out long free) || free >= bytes)
            {
                return;
            }
            Shrink(Math.Min(_held, RoundUp(bytes - free)));
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _disposed = true;
            if (_file >= 0)
            {
                ObjectSystemCalls.CloseFile(_file);
                _file = -1;
            }
        }
    }

    /// <summary>Under the gate, as all below. A full disk may have no room for a new file; then it is made later.</summary>
    private void OpenFile()
    {
        if (_size == 0 || _file >= 0)
        {
            return;
        }
        try
        {
            _file = ObjectSystemCalls.OpenFile(Path.Combine(_folder, FileName), create: true);
            var status = ObjectSystemCalls.Status(_file);
            long allocated = Math.Min(status.Size, status.Blocks * 512) / Step * Step;
            long held = Math.Min(_size, allocated);
            ObjectSystemCalls.Truncate(_file, held);
            Interlocked.Exchange(ref _held, held);
        }
        catch (FsException e)
        {
            LogFailed(_folder, e.Errno);
        }
    }

    private void Shrink(long bytes)
    {
        try
        {
            ObjectSystemCalls.Truncate(_file, _held - bytes);
        }
        catch (FsException e)
        {
            LogFailed(_folder, e.Errno);
            return;
        }
        bool wasWhole = !IsShort;
        Interlocked.Exchange(ref _held, _held - bytes);
        if (wasWhole)
        {
            LogShort(_folder);
        }
    }

    /// <summary>Grows the file towards its size, leaving the headroom free.</summary>
    internal void Refill()
    {
        lock (_gate)
        {
            if (_disposed || _held == _size || !TryGetFree(out long free))
            {
                return;
            }
            OpenFile();
            long grow = Math.Min(_size - _held, (free - Headroom) / Step * Step);
            if (_file < 0 || grow <= 0 || !TryGrow(grow))
            {
                return;
            }
            Interlocked.Exchange(ref _held, _held + grow);
            if (!IsShort)
            {
                LogWhole(_folder, _size >> 20);
            }
        }
    }

    private bool TryGrow(long bytes)
    {
        try
        {
            ObjectSystemCalls.Allocate(_file, FallocateMode.None, _held, bytes);
            return true;
        }
        catch (FsException e) when (e.Errno is Errno.EOPNOTSUPP or Errno.ENOSYS)
        {
            // To wait for it would keep the disk short for ever.
            Interlocked.Exchange(ref _size, _held);
            LogFailed(_folder, e.Errno);
            return false;
        }
        catch (FsException)
        {
            // Somebody was faster. Part of it may be there.
            ObjectSystemCalls.TryTruncate(_file, _held);
            return false;
        }
    }

    private bool TryGetFree(out long free)
    {
        try
        {
            free = Space().Free;
            return true;
        }
        catch (FsException e)
        {
            LogFailed(_folder, e.Errno);
            free = 0;
            return false;
        }
    }

    private FileSystemSpace Space() => ObjectSystemCalls.FileSystem(_folder).Space;

    private static long RoundUp(long bytes) => (bytes + Step - 1) / Step * Step;

    [LoggerMessage(EventId = 5121, Level = LogLevel.Warning,
        Message = "The disk of {Folder} is full: only what frees space is done until there is room")]
    private partial void LogShort(string folder);

    [LoggerMessage(EventId = 5122, Level = LogLevel.Information, Message = "The reserve of {Mib} MiB in {Folder} is whole")]
    private partial void LogWhole(string folder, long mib);

    [LoggerMessage(EventId = 5123, Level = LogLevel.Warning, Message = "The space reserve in {Folder} cannot be used, errno {Errno}")]
    private partial void LogFailed(string folder, int errno);
}
