using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Answers requests of a server to this client (02 section 6.11).</summary>
public interface ICallbackHandler
{
    /// <summary>
    /// Handles LDLM_BL_CALLBACK, LDLM_CP_CALLBACK, LDLM_GL_CALLBACK or LDLM_SET_INFO. The reply leaves when the task completes; what
    /// takes longer, such as giving up a lock, goes on afterwards. A request that was sent again may come twice.
    /// </summary>
    ValueTask HandleAsync(CallbackRequest request);
}

/// <summary>A request of the server to this client.</summary>
public sealed class CallbackRequest : IncomingRpc
{
    internal CallbackRequest(Import import, in IncomingPut put, LustreMessage message, in PtlrpcBody body)
    {
        Load(message, body);
        Import = import;
        Xid = put.MatchBits;
        Peer = put.Source;
        Self = put.Self;
        Portal = put.Portal;
        Adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
    }

    /// <summary>The connection the request belongs to.</summary>
    public Import Import { get; }

    internal bool Adaptive { get; }

    internal bool IsDropped => Dropped;

    internal ReadOnlySpan<byte> BuildReply()
    {
        if (!ReplyStarted)
        {
            StartReply();
        }

        ref var body = ref ReplyBuilder.Body;
        body.Type = FailedAsRpc ? MessageType.Error : MessageType.Reply;
        body.Version = ServiceVersion.Message;
        body.Opcode = Opcode;
        body.Status = Status;
        body.Timeout = 1;
        body.ServiceTime = 1;
        body.Limit = Import.LockLimit;
        body.ServerLockVolume = Import.ServerLockVolume;
        return ReplyBuilder.Finish();
    }

    internal void End() => Clear();
}
