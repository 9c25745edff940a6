using Nacre.Server.Storage.Objects;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>
/// A full disk. SQLite rolls a transaction back whole when its commit finds no room, so room is made before: out of the
/// <see cref="SpaceReserve"/>, for the log before a commit and for the growth of the database before a checkpoint.
/// </summary>
public sealed partial class MetadataStore
{
    /// <summary>Bytes a commit needs at most besides its operations: counters, the log's index, inner pages.</summary>
    private const long BytesPerCommit = 256L << 10;

    /// <summary>Bytes one operation adds to the log at most: some fifteen pages of three or four trees.</summary>
    private const long BytesPerChange = 64L << 10;

    /// <summary>A page and its header in the log.</summary>
    private const long WalFrameBytes = PageSize + 24;

    /// <summary>Log size from which a checkpoint runs on a full disk: the reserve has to hold it.</summary>
    private const long ShortCheckpointBytes = 4L << 20;

    /// <summary>The disk is full: only what frees space may change anything.</summary>
    internal bool IsShortOfSpace => _options.Reserve is { IsShort: true };

    private long CheckpointBytes =>
        IsShortOfSpace ? Math.Min(ShortCheckpointBytes, _options.CheckpointBytes) : _options.CheckpointBytes;

    /// <summary>A log that started over has blocks already for what comes next: nobody can take those away.</summary>
    private void RequireRoomForCommit()
    {
        if (_options.Reserve is not { } reserve)
        {
            return;
        }
        long needed = BytesPerCommit + (_changes * BytesPerChange);
        if (reserve.IsShort && _wal != null)
        {
            long allocated = ObjectSystemCalls.Status((int)_wal.DangerousGetHandle()).Blocks * 512;
            needed -= Math.Max(0, allocated - (WalFrames * WalFrameBytes));
        }
        reserve.Require(needed);
    }

    /// <summary>Under <see cref="Gate"/>. Pages the database has and its file does not yet.</summary>
    private void RequireRoomForCheckpoint()
    {
        if (_options.Reserve is not { } reserve)
        {
            return;
        }
        try
        {
            long pages = _db.ReadInteger("PRAGMA page_count") ?? 0;
            reserve.Require(BytesPerCommit + Math.Max(0, (pages * PageSize) - new FileInfo(_path).Length));
        }
        catch (SqliteException e)
        {
            LogCheckpointFailed(e);
        }
    }
}
