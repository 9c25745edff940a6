using System.Diagnostics.CodeAnalysis;
using Nacre.Client.Paths;
using Nacre.Client.Vfs;
using Nacre.PtlRpc;

namespace Nacre.Client;

/// <summary>An open file. Safe for any thread. Failures are <see cref="ErrnoException"/>s that name the path it was opened by.</summary>
public sealed class LustreFile : IAsyncDisposable
{
    private readonly IVfs _vfs;
    private readonly OpenNode _open;
    private readonly Credentials _who;
    private int _closed;

    internal LustreFile(IVfs vfs, OpenNode open, string path, Credentials who)
    {
        (_vfs, _open, Path, _who) = (vfs, open, path, who);
    }

    /// <summary>What it was opened by.</summary>
    public string Path { get; }

    /// <returns>Bytes read: fewer than asked for only at the end of the file.</returns>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> into, CancellationToken ct = default)
    {
        var done = 0;
        while (done < into.Length)
        {
            using var result = (await _vfs.ReadAsync(_open, offset + done, into.Length - done, ct).ConfigureAwait(false)).OrThrow("read", Path);
            if (result.Length == 0)
            {
                break;
            }

            foreach (var segment in result.Segments)
            {
                segment.CopyTo(into[done..]);
                done += segment.Length;
            }
        }

        return done;
    }

    /// <summary>Writes all bytes into this client's cache; an error in sending them later is told by <see cref="SyncAsync"/> and the close.</summary>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct = default) =>
        (await _vfs.WriteAsync(_open, offset, bytes, WriteOptions.None, ct).ConfigureAwait(false)).OrThrow("write", Path);

    /// <summary>Writes all bytes at the end of the file, wherever other clients have moved it.</summary>
    /// <returns>Where they were written.</returns>
    public async ValueTask<long> AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct = default)
    {
        var written = await _vfs.WriteAsync(_open, 0, bytes, WriteOptions.Append, ct).ConfigureAwait(false);
        return written.OrThrow("append", Path).End - bytes.Length;
    }

    public async ValueTask TruncateAsync(long size, CancellationToken ct = default)
    {
        var change = new AttributeChange(AttributeFields.Size) { Size = size };
        (await _vfs.SetAttributesAsync(_open.Node, _open, change, _who, ct).ConfigureAwait(false)).OrThrow("truncate", Path);
    }

    public async ValueTask<Attributes> StatAsync(CancellationToken ct = default) =>
        (await _vfs.GetAttributesAsync(_open.Node, _open, ct).ConfigureAwait(false)).OrThrow("fstat", Path).Attributes;

    /// <summary>Everything written is on stable storage when it returns; tells of writes that were lost.</summary>
    public async ValueTask SyncAsync(bool dataOnly = false, CancellationToken ct = default) =>
        (await _vfs.SyncAsync(_open, dataOnly, ct).ConfigureAwait(false)).OrThrow("fsync", Path);

    /// <summary>fcntl(2) locks; waits, or fails with EAGAIN.</summary>
    /// <param name="owner">Who has the lock, of this mount's choice.</param>
    public async ValueTask LockAsync(ulong owner, FileLock wanted, bool wait = true, CancellationToken ct = default) =>
        (await _vfs.SetLockAsync(_open, new LockOwner(owner, IsFlock: false), wanted, wait, ct).ConfigureAwait(false)).OrThrow("lock", Path);

    /// <summary>A stream over the file, which stays open when the stream is disposed. Asynchronous only.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The stream holds nothing; it is the caller's.")]
    public Stream AsStream(long position = 0) => new LustreStream(this) { Position = position };

    /// <exception cref="ErrnoException">A write was lost; the file is closed all the same.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        var flushed = await _vfs.FlushAsync(_open, 0, CancellationToken.None).ConfigureAwait(false);
        await _vfs.ReleaseAsync(_open).ConfigureAwait(false);
        flushed.OrThrow("close", Path);
    }
}
