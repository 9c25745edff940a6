using System.Collections.Concurrent;

namespace Nacre.Fuse.Device;

/// <summary>
/// Buffers of one size for requests and answers that are too large to be copied. At most <paramref name="kept"/> of them
/// stay when they are
/// not in use. Renting never waits: whoever waited for a buffer could be the write-back of a page that the buffers' holders
/// wait for. How many are in
/// use at a time is bounded by the kernel: one for each process that waits, and <see cref="FuseOptions.MaxBackground"/>.
/// </summary>
internal sealed class NativeBufferPool(int bufferLength, int kept) : IDisposable
{
    private readonly ConcurrentStack<NativeBuffer> _free = new();
    private int _freeCount;
    private volatile bool _isDisposed;

    public NativeBuffer Rent()
    {
        if (!_free.TryPop(out var buffer)) return new NativeBuffer(bufferLength);
        Interlocked.Decrement(ref _freeCount);
        return buffer;
    }

    public void Return(NativeBuffer buffer)
    {
        if (_isDisposed || Interlocked.Increment(ref _freeCount) > kept)
        {
            Interlocked.Decrement(ref _freeCount);
            ((IDisposable)buffer).Dispose();
            return;
        }

        _free.Push(buffer);
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_free.TryPop(out var buffer)) ((IDisposable)buffer).Dispose();
    }
}
