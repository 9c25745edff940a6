using System.Collections.Concurrent;

namespace Nacre.PtlRpc;

/// <summary>Request objects between uses: one for each thread at hand, a bounded number for all.</summary>
internal sealed class RpcRequestPool(RpcServer server)
{
    private const int MaxKept = 4096;

    [ThreadStatic]
    private static (RpcRequestPool? Pool, RpcRequest? Request) _mine;

    private readonly ConcurrentQueue<RpcRequest> _free = new();
    private int _kept;

    public RpcRequest Rent()
    {
        if (_mine.Pool == this && _mine.Request is { } mine)
        {
            _mine.Request = null;
            return mine;
        }

        if (_free.TryDequeue(out var request))
        {
            Interlocked.Decrement(ref _kept);
            return request;
        }

        return new RpcRequest(server);
    }

    public void Return(RpcRequest request)
    {
        request.End();
        if (_mine.Request is null || _mine.Pool != this)
        {
            _mine = (this, request);
        }
        else if (Interlocked.Increment(ref _kept) <= MaxKept)
        {
            _free.Enqueue(request);
        }
        else
        {
            Interlocked.Decrement(ref _kept);
        }
    }
}
