using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>The bytes of one regular file in use: layout, objects, what is cached of them. One per file, as long as its inode is in memory.</summary>
internal sealed class FileData
{
    public FileData(DataClient client, IFileOwner owner)
    {
    }

    /// <summary>True when something was written, truncated or punched here since the last call: what a close tells the MDT.</summary>
    public bool TakeModified() => throw new NotImplementedException();

    /// <summary>Takes the layout over; null: unknown, the next operation asks the owner. What is cached of objects both layouts name stays.</summary>
    public void SetLayout(FileLayout? layout) => throw new NotImplementedException();

    /// <summary>The layout lock is called back: ends I/O under way, flushes, forgets the layout. Then the lock may go.</summary>
    public ValueTask LoseLayoutAsync() => throw new NotImplementedException();

    public OpenData Open(bool mayBeMappedWritable) => throw new NotImplementedException();

    /// <param name="direct">Past the cache (O_DIRECT).</param>
    public ValueTask<Outcome<ReadResult>> ReadAsync(OpenData file, long offset, int length, bool direct, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>All bytes or a failure. An earlier failed write-back of this open file is told at <see cref="TakeErrors"/> and <see cref="SyncAsync"/>, not here.</summary>
    public ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenData file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>From held locks, else by glimpse.</summary>
    public ValueTask<Outcome<DataAttributes>> GetAttributesAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>What this client knows without asking, for a close: false when it knows nothing of some object.</summary>
    public bool TryGetKnownAttributes(out DataAttributes attributes) => throw new NotImplementedException();

    /// <summary>The part of a truncation that follows the MDT's SETATTR (06 section 8.3). Times are seconds.</summary>
    public ValueTask<Outcome<Done>> TruncateAsync(long size, long modifyTime, long changeTime, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The part of utimes, chmod or chown that follows the MDT's SETATTR; null leaves a time. Seconds (06 section 6.2).</summary>
    public ValueTask<Outcome<Done>> SetTimesAsync(long? accessTime, long? modifyTime, long changeTime, CancellationToken ct) => throw new NotImplementedException();

    /// <param name="mode">FALLOC_FL_KEEP_SIZE (1), PUNCH_HOLE (2); others are EOPNOTSUPP.</param>
    public ValueTask<Outcome<Done>> AllocateAsync(int mode, long offset, long length, CancellationToken ct) => throw new NotImplementedException();

    /// <param name="whence">SEEK_DATA (3) or SEEK_HOLE (4).</param>
    public ValueTask<Outcome<long>> SeekAsync(long offset, int whence, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Writes everything back and has the OSTs put it on stable storage; tells of lost writes, once per open file.</summary>
    public ValueTask<Outcome<Done>> SyncAsync(OpenData? file, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>A descriptor is closed: the errors of write-back this open file has not been told of. Does not write.</summary>
    public int TakeErrors(OpenData file) => throw new NotImplementedException();

    /// <summary>The inode leaves memory, or the mount ends: writes back, gives locks up, frees pages.</summary>
    public ValueTask CloseAsync() => throw new NotImplementedException();
}
