using System.Collections.Concurrent;
using Nacre.Fuse.Device;

namespace Nacre.Fuse.Session;

/// <summary>
/// Request objects. As many are made as were under way at a time, which the kernel bounds: one a process that waits, and the
/// background
/// ones.
/// </summary>
internal sealed class RequestPool(NativeBufferPool buffers)
{
    [ThreadStatic]
    private static FuseRequest? _spare;

    private readonly ConcurrentQueue<FuseRequest> _free = new();
    private readonly Lock _gate = new();
    private FuseRequest[] _all = [];

    public NativeBufferPool Buffers { get; } = buffers;

    /// <summary>All there are, in use or not.</summary>
    public FuseRequest[] All => Volatile.Read(ref _all);

    public FuseRequest Rent()
    {
        var spare = _spare;
        if (spare is not null && spare.BelongsTo(this))
        {
            _spare = null;
            return spare;
        }

        return _free.TryDequeue(out var request) ? request : Make();
    }

    public void Return(FuseRequest request)
    {
        if (_spare is null) _spare = request;
        else _free.Enqueue(request);
    }

    private FuseRequest Make()
    {
        var request = new FuseRequest(this);
        lock (_gate)
        {
            Volatile.Write(ref _all, [.. _all, request]);
        }

        return request;
    }
}
