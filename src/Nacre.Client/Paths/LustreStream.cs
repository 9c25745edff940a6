namespace Nacre.Client.Paths;

/// <summary>A position in an open file. Requests go over the network, so the blocking half of <see cref="Stream"/> is not offered.</summary>
internal sealed class LustreStream(LustreFile file) : Stream
{
    public override bool CanRead => true;

    /// <summary>Only as far as <see cref="Position"/> goes: the length takes a request.</summary>
    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw Blocking();

    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await file.ReadAsync(Position, buffer, cancellationToken).ConfigureAwait(false);
        Position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await file.WriteAsync(Position, buffer, cancellationToken).ConfigureAwait(false);
        Position += buffer.Length;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => file.SyncAsync(dataOnly: true, cancellationToken).AsTask();

    /// <summary>Nothing is buffered here; what the file has cached goes with <see cref="FlushAsync"/> or the file's close.</summary>
    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => throw Blocking(),
    };

    public override int Read(byte[] buffer, int offset, int count) => throw Blocking();

    public override void Write(byte[] buffer, int offset, int count) => throw Blocking();

    public override void SetLength(long value) => throw Blocking();

    private static NotSupportedException Blocking() => new("this stream is asynchronous: use ReadAsync, WriteAsync and the file's StatAsync and TruncateAsync");
}
