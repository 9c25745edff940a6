namespace Nacre.PtlRpc.Wire;

/// <summary>Operation numbers (<c>pb_opc</c>), with the protocol's names in PascalCase (02 section 5).</summary>
public static class Opcode
{
    public const uint OstGetattr = 1;
    public const uint OstSetattr = 2;
    public const uint OstRead = 3;
    public const uint OstWrite = 4;
    public const uint OstCreate = 5;
    public const uint OstDestroy = 6;
    public const uint OstGetInfo = 7;
    public const uint OstConnect = 8;
    public const uint OstDisconnect = 9;
    public const uint OstPunch = 10;
    public const uint OstStatfs = 13;
    public const uint OstSync = 16;
    public const uint OstSetInfo = 17;
    public const uint OstQuotactl = 19;
    public const uint OstLadvise = 21;
    public const uint OstFallocate = 22;
    public const uint OstSeek = 23;
    public const uint MdsGetattr = 33;
    public const uint MdsGetattrName = 34;
    public const uint MdsClose = 35;
    public const uint MdsReint = 36;
    public const uint MdsReadpage = 37;
    public const uint MdsConnect = 38;
    public const uint MdsDisconnect = 39;
    public const uint MdsGetRoot = 40;
    public const uint MdsStatfs = 41;
    public const uint MdsSync = 44;
    public const uint MdsSetInfo = 46;
    public const uint MdsQuotactl = 48;
    public const uint MdsGetxattr = 49;
    public const uint MdsGetInfo = 53;
    public const uint MdsHsmStateGet = 54;
    public const uint MdsHsmStateSet = 55;
    public const uint MdsHsmAction = 56;
    public const uint MdsHsmProgress = 57;
    public const uint MdsHsmRequest = 58;
    public const uint MdsHsmCtRegister = 59;
    public const uint MdsHsmCtUnregister = 60;
    public const uint MdsSwapLayouts = 61;
    public const uint MdsRmfid = 62;
    /// <summary>2.17 only (02 section 20).</summary>
    public const uint MdsBatch = 63;
    /// <summary>2.17 only (02 section 20).</summary>
    public const uint MdsHsmDataVersion = 64;
    public const uint LdlmEnqueue = 101;
    public const uint LdlmConvert = 102;
    public const uint LdlmCancel = 103;
    public const uint LdlmBlCallback = 104;
    public const uint LdlmCpCallback = 105;
    public const uint LdlmGlCallback = 106;
    public const uint LdlmSetInfo = 107;
    public const uint MgsConnect = 250;
    public const uint MgsDisconnect = 251;
    public const uint MgsTargetReg = 253;
    public const uint MgsSetInfo = 255;
    public const uint MgsConfigRead = 256;
    public const uint ObdPing = 400;
    public const uint ObdIdxRead = 403;
    public const uint LlogOriginHandleCreate = 501;
    public const uint LlogOriginHandleNextBlock = 502;
    public const uint LlogOriginHandleReadHeader = 503;
    public const uint LlogOriginHandlePrevBlock = 508;
    public const uint QuotaDqacq = 601;
    public const uint SeqQuery = 700;
    public const uint SecCtxInit = 801;
    public const uint SecCtxInitCont = 802;
    public const uint SecCtxFini = 803;
    public const uint FldQuery = 900;
    public const uint FldRead = 901;
    public const uint OutUpdate = 1000;
    public const uint LfsckNotify = 1101;
    public const uint LfsckQuery = 1102;

    /// <summary>OST_CONNECT, MDS_CONNECT or MGS_CONNECT.</summary>
    public static bool IsConnect(uint opcode) => opcode is OstConnect or MdsConnect or MgsConnect;

    /// <summary>OST_DISCONNECT, MDS_DISCONNECT or MGS_DISCONNECT.</summary>
    public static bool IsDisconnect(uint opcode) => opcode is OstDisconnect or MdsDisconnect or MgsDisconnect;

    /// <summary>
    /// The service version (high half of <c>pb_version</c>) a request with this opcode must carry, 0 for an opcode that
    /// is not in the table (02 sections 3.3 and 5).
    /// </summary>
    public static uint VersionOf(uint opcode) => opcode switch
    {
        OstGetattr or OstSetattr or OstRead or OstWrite or OstCreate or OstDestroy or OstGetInfo or OstPunch
            or OstStatfs or OstSync or OstSetInfo or OstQuotactl or OstLadvise or OstFallocate
            or OstSeek => ServiceVersion.Ost,
        OstConnect or OstDisconnect or MdsConnect or MdsDisconnect or LdlmSetInfo or MgsConnect or MgsDisconnect
            or ObdPing or ObdIdxRead or SecCtxInit or SecCtxInitCont or SecCtxFini or LfsckNotify
            or LfsckQuery => ServiceVersion.Obd,
        MdsGetattr or MdsGetattrName or MdsClose or MdsReint or MdsReadpage or MdsGetRoot or MdsStatfs or MdsSync
            or MdsSetInfo or MdsQuotactl or MdsGetxattr or MdsGetInfo or MdsHsmStateGet or MdsHsmStateSet
            or MdsHsmAction or MdsHsmProgress or MdsHsmRequest or MdsHsmCtRegister or MdsHsmCtUnregister
            or MdsSwapLayouts or MdsRmfid or MdsBatch or MdsHsmDataVersion or QuotaDqacq or SeqQuery or FldQuery
            or FldRead or OutUpdate => ServiceVersion.Mds,
        LdlmEnqueue or LdlmConvert or LdlmCancel or LdlmBlCallback or LdlmCpCallback or LdlmGlCallback => ServiceVersion.Dlm,
        MgsTargetReg or MgsSetInfo or MgsConfigRead => ServiceVersion.Mgs,
        LlogOriginHandleCreate or LlogOriginHandleNextBlock or LlogOriginHandleReadHeader
            or LlogOriginHandlePrevBlock => ServiceVersion.Log,
        _ => 0,
    };

    /// <summary>The name for logs: <c>MDS_GETATTR</c>, or <c>opcode 77</c>.</summary>
    public static string Name(uint opcode) => opcode switch
    {
        OstGetattr => "OST_GETATTR",
        OstSetattr => "OST_SETATTR",
        OstRead => "OST_READ",
        OstWrite => "OST_WRITE",
        OstCreate => "OST_CREATE",
        OstDestroy => "OST_DESTROY",
        OstGetInfo => "OST_GET_INFO",
        OstConnect => "OST_CONNECT",
        OstDisconnect => "OST_DISCONNECT",
        OstPunch => "OST_PUNCH",
        OstStatfs => "OST_STATFS",
        OstSync => "OST_SYNC",
        OstSetInfo => "OST_SET_INFO",
        OstQuotactl => "OST_QUOTACTL",
        OstLadvise => "OST_LADVISE",
        OstFallocate => "OST_FALLOCATE",
        OstSeek => "OST_SEEK",
        MdsGetattr => "MDS_GETATTR",
        MdsGetattrName => "MDS_GETATTR_NAME",
        MdsClose => "MDS_CLOSE",
        MdsReint => "MDS_REINT",
        MdsReadpage => "MDS_READPAGE",
        MdsConnect => "MDS_CONNECT",
        MdsDisconnect => "MDS_DISCONNECT",
        MdsGetRoot => "MDS_GET_ROOT",
        MdsStatfs => "MDS_STATFS",
        MdsSync => "MDS_SYNC",
        MdsSetInfo => "MDS_SET_INFO",
        MdsQuotactl => "MDS_QUOTACTL",
        MdsGetxattr => "MDS_GETXATTR",
        MdsGetInfo => "MDS_GET_INFO",
        MdsHsmStateGet => "MDS_HSM_STATE_GET",
        MdsHsmStateSet => "MDS_HSM_STATE_SET",
        MdsHsmAction => "MDS_HSM_ACTION",
        MdsHsmProgress => "MDS_HSM_PROGRESS",
        MdsHsmRequest => "MDS_HSM_REQUEST",
        MdsHsmCtRegister => "MDS_HSM_CT_REGISTER",
        MdsHsmCtUnregister => "MDS_HSM_CT_UNREGISTER",
        MdsSwapLayouts => "MDS_SWAP_LAYOUTS",
        MdsRmfid => "MDS_RMFID",
        MdsBatch => "MDS_BATCH",
        MdsHsmDataVersion => "MDS_HSM_DATA_VERSION",
        LdlmEnqueue => "LDLM_ENQUEUE",
        LdlmConvert => "LDLM_CONVERT",
        LdlmCancel => "LDLM_CANCEL",
        LdlmBlCallback => "LDLM_BL_CALLBACK",
        LdlmCpCallback => "LDLM_CP_CALLBACK",
        LdlmGlCallback => "LDLM_GL_CALLBACK",
        LdlmSetInfo => "LDLM_SET_INFO",
        MgsConnect => "MGS_CONNECT",
        MgsDisconnect => "MGS_DISCONNECT",
        MgsTargetReg => "MGS_TARGET_REG",
        MgsSetInfo => "MGS_SET_INFO",
        MgsConfigRead => "MGS_CONFIG_READ",
        ObdPing => "OBD_PING",
        ObdIdxRead => "OBD_IDX_READ",
        LlogOriginHandleCreate => "LLOG_ORIGIN_HANDLE_CREATE",
        LlogOriginHandleNextBlock => "LLOG_ORIGIN_HANDLE_NEXT_BLOCK",
        LlogOriginHandleReadHeader => "LLOG_ORIGIN_HANDLE_READ_HEADER",
        LlogOriginHandlePrevBlock => "LLOG_ORIGIN_HANDLE_PREV_BLOCK",
        QuotaDqacq => "QUOTA_DQACQ",
        SeqQuery => "SEQ_QUERY",
        SecCtxInit => "SEC_CTX_INIT",
        SecCtxInitCont => "SEC_CTX_INIT_CONT",
        SecCtxFini => "SEC_CTX_FINI",
        FldQuery => "FLD_QUERY",
        FldRead => "FLD_READ",
        OutUpdate => "OUT_UPDATE",
        LfsckNotify => "LFSCK_NOTIFY",
        LfsckQuery => "LFSCK_QUERY",
        _ => $"opcode {opcode}",
    };
}
