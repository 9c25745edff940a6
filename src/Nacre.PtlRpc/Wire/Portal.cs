namespace Nacre.PtlRpc.Wire;

/// <summary>LNet portal numbers of requests, replies and bulk data (02 section 4.1).</summary>
public static class Portal
{
    public const int OscReply = 4;
    public const int OstIo = 6;
    public const int OstCreate = 7;
    public const int OstBulk = 8;
    public const int MdcReply = 10;
    public const int MdsRequest = 12;
    public const int MdsIo = 13;
    public const int MdsBulk = 14;
    public const int LdlmCallbackRequest = 15;
    public const int LdlmCallbackReply = 16;
    public const int LdlmCancelRequest = 17;
    public const int LdlmCancelReply = 18;
    public const int MdsReadPage = 23;
    public const int Out = 24;
    public const int MgcReply = 25;
    public const int MgsRequest = 26;
    public const int OstRequest = 28;
    public const int FldRequest = 29;
    public const int SeqMetadata = 30;
    public const int SeqData = 31;
    public const int SeqController = 32;
    public const int MgsBulk = 33;

    /// <summary>One more than the highest portal number in use.</summary>
    public const int Count = 64;

    /// <summary>
    /// The reply portal of a request portal, or 0 when the number is not a request portal (02 section 4.2). It is a
    /// convention of the service; nothing in a message names it.
    /// </summary>
    public static int ReplyOf(int requestPortal) => requestPortal switch
    {
        MdsRequest or MdsReadPage or MdsIo or SeqController or SeqMetadata or FldRequest => MdcReply,
        OstRequest or OstCreate or OstIo or SeqData or Out => OscReply,
        MgsRequest => MgcReply,
        LdlmCancelRequest => LdlmCancelReply,
        LdlmCallbackRequest => LdlmCallbackReply,
        _ => 0,
    };
}
