using System.Text;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>The LLOG_ORIGIN_HANDLE_* RPCs, by which clients read configuration logs (04 section 4). They keep no state.</summary>
public sealed partial class MgsTarget
{
    /// <summary>Longest name of a log, bytes: far above what names can be.</summary>
    private const int MaxLogName = 255;

    private ValueTask OpenLog(RpcRequest request)
    {
        var body = CheckedBody(request);
        if (!request.Has(2))
        {
            throw new RpcException(Errno.EINVAL);
        }

        var name = request.GetString(2);
        if (name.Length > MaxLogName || !_logs.TryOpen(Encoding.ASCII.GetString(name), out body.Logid))
        {
            request.StartReply(LlogdBody.Size);
            request.Status = -Errno.ENOENT;
            return ValueTask.CompletedTask;
        }

        request.StartReply(LlogdBody.Size);
        request.Reply<LlogdBody>(1) = body;
        return ValueTask.CompletedTask;
    }

    private ValueTask ReadHeader(RpcRequest request)
    {
        var body = CheckedBody(request);
        request.StartReply(LlogFormat.ChunkSize);
        if (!_logs.TryRead(body.Logid, log => log.Header.CopyTo(request.ReplyBuffer(1))))
        {
            request.Fail(Errno.ENOENT);
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask NextBlock(RpcRequest request)
    {
        var body = CheckedBody(request);
        request.StartReply(LlogdBody.Size, LlogFormat.ChunkSize);
        if (!_logs.TryRead(body.Logid, log => FillNextBlock(request, body, log)))
        {
            request.Fail(Errno.ENOENT);
        }

        return ValueTask.CompletedTask;
    }

    private static void FillNextBlock(RpcRequest request, LlogdBody body, ConfigLog log)
    {
        if (log.TryFindChunk(body.Index, body.CurrentOffset, out var chunk, out var start, out var lastIndex))
        {
            chunk.CopyTo(request.ReplyBuffer(2));
            body.CurrentOffset = (ulong)(start + chunk.Length);
        }
        else
        {
            // The end of a log: the client tells it from a failure by the offset (04 section 4.4, rule 4).
            request.Status = -Errno.EIO;
            body.CurrentOffset = (ulong)log.Length;
        }

        body.SavedIndex = lastIndex;
        request.Reply<LlogdBody>(1) = body;
    }

    private ValueTask PrevBlock(RpcRequest request)
    {
        var body = CheckedBody(request);
        request.StartReply(LlogdBody.Size, LlogFormat.ChunkSize);
        request.Reply<LlogdBody>(1) = body;
        var known = _logs.TryRead(body.Logid, log =>
        {
            if (log.TryFindChunk(body.Index, 0, out var chunk, out _, out _))
            {
                chunk.CopyTo(request.ReplyBuffer(2));
            }
            else
            {
                request.Status = -Errno.EIO;
            }
        });
        if (!known)
        {
            request.Fail(Errno.ENOENT);
        }

        return ValueTask.CompletedTask;
    }

    private static LlogdBody CheckedBody(RpcRequest request)
    {
        var body = request.Get<LlogdBody>(1);
        if (body.Context != 0)
        {
            throw new RpcException(body.Context >= LlogFormat.MaxContexts ? Errno.EPROTO : Errno.ENODEV);
        }

        return body;
    }
}
