using System.Collections.Immutable;
using F = Nacre.PtlRpc.Wire.MessageFields;

namespace Nacre.PtlRpc.Wire;

/// <summary>The 94 request formats of 2.15, with upstream's names in PascalCase (02 section 8.2).</summary>
public static partial class RequestFormats
{
    // Common, connection.
    public static readonly RequestFormat Connect = new(
        "CONNECT",
        [F.Tgtuuid, F.Cluuid, F.Conn, F.ConnectData, F.SelinuxPol],
        [F.ConnectData]);
    public static readonly RequestFormat MdsConnect = new(
        "MDS_CONNECT",
        [F.Tgtuuid, F.Cluuid, F.Conn, F.ConnectData, F.SelinuxPol],
        [F.ConnectData]);
    public static readonly RequestFormat OstConnect = new(
        "OST_CONNECT",
        [F.Tgtuuid, F.Cluuid, F.Conn, F.ConnectData, F.SelinuxPol],
        [F.ConnectData]);
    public static readonly RequestFormat MdsDisconnect = new("MDS_DISCONNECT", [], []);
    public static readonly RequestFormat OstDisconnect = new("OST_DISCONNECT", [], []);
    public static readonly RequestFormat ObdPing = new("OBD_PING", [], []);
    public static readonly RequestFormat SecCtx = new("SEC_CTX", [], []);
    public static readonly RequestFormat ObdSetInfo = new("OBD_SET_INFO", [F.SetinfoKey, F.SetinfoVal], []);
    public static readonly RequestFormat ObdIdxRead = new("OBD_IDX_READ", [F.IdxInfo], [F.IdxInfo]);
    // MGS and LLOG.
    public static readonly RequestFormat MgsTargetReg = new("MGS_TARGET_REG", [F.MgsTargetInfo], [F.MgsTargetInfo]);
    public static readonly RequestFormat MgsSetInfo = new("MGS_SET_INFO", [F.MgsSendParam], [F.MgsSendParam]);
    public static readonly RequestFormat MgsConfigRead = new("MGS_CONFIG_READ", [F.MgsConfigBody], [F.MgsConfigRes]);
    public static readonly RequestFormat LlogOriginHandleCreate = new(
        "LLOG_ORIGIN_HANDLE_CREATE",
        [F.LlogdBody, F.Name, F.MdtBody],
        [F.LlogdBody]);
    public static readonly RequestFormat LlogOriginHandleNextBlock = new(
        "LLOG_ORIGIN_HANDLE_NEXT_BLOCK",
        [F.LlogdBody],
        [F.LlogdBody, F.Eadata]);
    public static readonly RequestFormat LlogOriginHandlePrevBlock = new(
        "LLOG_ORIGIN_HANDLE_PREV_BLOCK",
        [F.LlogdBody],
        [F.LlogdBody, F.Eadata]);
    public static readonly RequestFormat LlogOriginHandleReadHeader = new(
        "LLOG_ORIGIN_HANDLE_READ_HEADER",
        [F.LlogdBody],
        [F.LlogLogHdr]);
    // SEQ, FLD, quota, OUT, LFSCK.
    public static readonly RequestFormat SeqQuery = new("SEQ_QUERY", [F.SeqOpc, F.SeqRange], [F.SeqRange]);
    public static readonly RequestFormat FldQuery = new("FLD_QUERY", [F.FldOpc, F.FldMdfld], [F.FldMdfld]);
    public static readonly RequestFormat FldRead = new("FLD_READ", [F.FldMdfld], [F.GenericData]);
    public static readonly RequestFormat QuotaDqacq = new("QUOTA_DQACQ", [F.QuotaBody], [F.QuotaBody]);
    public static readonly RequestFormat MdsQuotactl = new("MDS_QUOTACTL", [F.ObdQuotactl], [F.ObdQuotactl]);
    public static readonly RequestFormat OstQuotactl = new("OST_QUOTACTL", [F.ObdQuotactl], [F.ObdQuotactl]);
    public static readonly RequestFormat LdlmIntentQuota = new(
        "LDLM_INTENT_QUOTA",
        [F.DlmReq, F.LdlmIntent, F.QuotaBody],
        [F.DlmRep, F.DlmLvb, F.QuotaBody]);
    public static readonly RequestFormat OutUpdate = new(
        "OUT_UPDATE",
        [F.OutUpdateHeader, F.OutUpdateBuf],
        [F.OutUpdateReply]);
    public static readonly RequestFormat LfsckNotify = new("LFSCK_NOTIFY", [F.LfsckRequest], []);
    public static readonly RequestFormat LfsckQuery = new("LFSCK_QUERY", [F.LfsckRequest], [F.LfsckReply]);
    // LDLM.
    public static readonly RequestFormat LdlmEnqueue = new("LDLM_ENQUEUE", [F.DlmReq], [F.DlmRep, F.DlmLvb]);
    public static readonly RequestFormat LdlmEnqueueLvb = new("LDLM_ENQUEUE_LVB", [F.DlmReq], [F.DlmRep, F.DlmLvb]);
    public static readonly RequestFormat LdlmConvert = new("LDLM_CONVERT", [F.DlmReq], [F.DlmRep]);
    public static readonly RequestFormat LdlmCancel = new("LDLM_CANCEL", [F.DlmReq], []);
    public static readonly RequestFormat LdlmCallback = new("LDLM_CALLBACK", [F.DlmReq], []);
    public static readonly RequestFormat LdlmBlCallback = new("LDLM_BL_CALLBACK", [F.DlmReq], []);
    public static readonly RequestFormat LdlmCpCallback = new("LDLM_CP_CALLBACK", [F.DlmReq, F.DlmLvb], []);
    public static readonly RequestFormat LdlmGlCallback = new("LDLM_GL_CALLBACK", [F.DlmReq], [F.DlmLvb]);
    public static readonly RequestFormat LdlmGlCallbackDesc = new(
        "LDLM_GL_CALLBACK_DESC",
        [F.DlmReq, F.DlmGlDesc],
        [F.DlmLvb]);
    // LDLM intents (LDLM_ENQUEUE on MDT).
    public static readonly RequestFormat LdlmIntentBasic = new(
        "LDLM_INTENT_BASIC",
        [F.DlmReq, F.LdlmIntent],
        [F.DlmRep, F.DlmLvb]);
    public static readonly RequestFormat LdlmIntent = new(
        "LDLM_INTENT",
        [F.DlmReq, F.LdlmIntent, F.RecReint],
        [F.DlmRep, F.MdtBody, F.MdtMd, F.Acl]);
    public static readonly RequestFormat LdlmIntentLayout = new(
        "LDLM_INTENT_LAYOUT",
        [F.DlmReq, F.LdlmIntent, F.LayoutIntent, F.Eadata],
        [F.DlmRep, F.DlmLvb]);
    public static readonly RequestFormat LdlmIntentGetattr = new(
        "LDLM_INTENT_GETATTR",
        [F.DlmReq, F.LdlmIntent, F.MdtBody, F.Capa1, F.Name, F.FileSecctxName],
        [F.DlmRep, F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.FileSecctx, F.DefaultMdtMd, F.FileEncctx]);
    public static readonly RequestFormat LdlmIntentGetxattr = new(
        "LDLM_INTENT_GETXATTR",
        [F.DlmReq, F.LdlmIntent, F.MdtBody, F.Capa1, F.SelinuxPol],
        [F.DlmRep, F.MdtBody, F.MdtMd, F.Acl, F.Eadata, F.Eavals, F.EavalsLens]);
    public static readonly RequestFormat LdlmIntentOpen = new(
        "LDLM_INTENT_OPEN",
        [F.DlmReq, F.LdlmIntent, F.RecReint, F.Capa1, F.Capa2, F.Name, F.Eadata, F.FileSecctxName, F.FileSecctx,
            F.SelinuxPol, F.FileEncctx],
        [F.DlmRep, F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.Capa2, F.NiobufInline, F.FileSecctx, F.FileEncctx]);
    public static readonly RequestFormat LdlmIntentCreate = new(
        "LDLM_INTENT_CREATE",
        [F.DlmReq, F.LdlmIntent, F.RecReint, F.Capa1, F.Name, F.Eadata, F.FileSecctxName, F.FileSecctx, F.SelinuxPol,
            F.FileEncctx],
        [F.DlmRep, F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.FileSecctx, F.DefaultMdtMd, F.FileEncctx]);
    // MDS.
    public static readonly RequestFormat MdsGetRoot = new("MDS_GET_ROOT", [F.MdtBody, F.Name], [F.MdtBody, F.Capa1]);
    public static readonly RequestFormat MdsStatfs = new("MDS_STATFS", [], [F.ObdStatfs]);
    public static readonly RequestFormat MdsStatfsNew = new("MDS_STATFS_NEW", [F.MdtBody], [F.ObdStatfs]);
    public static readonly RequestFormat MdsSync = new("MDS_SYNC", [F.MdtBody, F.Capa1], [F.MdtBody]);
    public static readonly RequestFormat MdsReadpage = new("MDS_READPAGE", [F.MdtBody, F.Capa1], [F.MdtBody]);
    public static readonly RequestFormat MdsGetattr = new(
        "MDS_GETATTR",
        [F.MdtBody, F.Capa1],
        [F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.Capa2, F.FileEncctx]);
    public static readonly RequestFormat MdsGetattrName = new(
        "MDS_GETATTR_NAME",
        [F.MdtBody, F.Capa1, F.Name],
        [F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.Capa2, F.FileEncctx]);
    public static readonly RequestFormat MdsGetxattr = new(
        "MDS_GETXATTR",
        [F.MdtBody, F.Capa1, F.Name, F.Eadata, F.SelinuxPol],
        [F.MdtBody, F.Eadata]);
    public static readonly RequestFormat MdsClose = new(
        "MDS_CLOSE",
        [F.MdtEpoch, F.RecReint, F.Capa1],
        [F.MdtBody, F.MdtMd, F.Logcookies, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsCloseIntent = new(
        "MDS_CLOSE_INTENT",
        [F.MdtEpoch, F.RecReint, F.Capa1, F.CloseData, F.U32],
        [F.MdtBody, F.MdtMd, F.Logcookies, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsGetInfo = new("MDS_GET_INFO", [F.GetinfoKey, F.GetinfoVallen], [F.GetinfoVal]);
    public static readonly RequestFormat MdtSetInfo = new("MDT_SET_INFO", [F.SetinfoKey, F.SetinfoVal, F.MdtBody], []);
    public static readonly RequestFormat MdsSwapLayouts = new(
        "MDS_SWAP_LAYOUTS",
        [F.MdtBody, F.SwapLayouts, F.Capa1, F.Capa2, F.DlmReq],
        []);
    public static readonly RequestFormat MdsRmfid = new(
        "MDS_RMFID",
        [F.MdtBody, F.FidArray, F.Capa1, F.Capa2],
        [F.MdtBody, F.FidArray, F.Rcs]);
    // MDS_REINT.
    public static readonly RequestFormat MdsReint = new("MDS_REINT", [F.RecReint], [F.MdtBody]);
    public static readonly RequestFormat MdsReintSetattr = new(
        "MDS_REINT_SETATTR",
        [F.RecReint, F.Capa1, F.MdtEpoch, F.Eadata, F.Logcookies, F.DlmReq],
        [F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsReintCreate = new(
        "MDS_REINT_CREATE",
        [F.RecReint, F.Capa1, F.Name],
        [F.MdtBody, F.Capa1]);
    public static readonly RequestFormat MdsReintCreateAcl = new(
        "MDS_REINT_CREATE_ACL",
        [F.RecReint, F.Capa1, F.Name, F.Eadata, F.DlmReq, F.FileSecctxName, F.FileSecctx, F.SelinuxPol, F.FileEncctx],
        [F.MdtBody, F.Capa1]);
    public static readonly RequestFormat MdsReintCreateSlave = new(
        "MDS_REINT_CREATE_SLAVE",
        [F.RecReint, F.Capa1, F.Name, F.Eadata, F.DlmReq],
        [F.MdtBody, F.Capa1]);
    public static readonly RequestFormat MdsReintCreateSym = new(
        "MDS_REINT_CREATE_SYM",
        [F.RecReint, F.Capa1, F.Name, F.Symtgt, F.DlmReq, F.FileSecctxName, F.FileSecctx, F.SelinuxPol, F.FileEncctx],
        [F.MdtBody, F.Capa1]);
    public static readonly RequestFormat MdsReintOpen = new(
        "MDS_REINT_OPEN",
        [F.RecReint, F.Capa1, F.Capa2, F.Name, F.Eadata, F.FileSecctxName, F.FileSecctx, F.SelinuxPol, F.FileEncctx],
        [F.MdtBody, F.MdtMd, F.Acl, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsReintLink = new(
        "MDS_REINT_LINK",
        [F.RecReint, F.Capa1, F.Capa2, F.Name, F.DlmReq, F.SelinuxPol],
        [F.MdtBody]);
    public static readonly RequestFormat MdsReintUnlink = new(
        "MDS_REINT_UNLINK",
        [F.RecReint, F.Capa1, F.Name, F.DlmReq, F.SelinuxPol],
        [F.MdtBody, F.MdtMd, F.Logcookies, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsReintRename = new(
        "MDS_REINT_RENAME",
        [F.RecReint, F.Capa1, F.Capa2, F.Name, F.Symtgt, F.DlmReq, F.SelinuxPol],
        [F.MdtBody, F.MdtMd, F.Logcookies, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsReintMigrate = new(
        "MDS_REINT_MIGRATE",
        [F.RecReint, F.Capa1, F.Capa2, F.Name, F.Symtgt, F.DlmReq, F.SelinuxPol, F.MdtEpoch, F.CloseData, F.Eadata],
        [F.MdtBody, F.MdtMd, F.Logcookies, F.Capa1, F.Capa2]);
    public static readonly RequestFormat MdsReintSetxattr = new(
        "MDS_REINT_SETXATTR",
        [F.RecReint, F.Capa1, F.Name, F.Eadata, F.DlmReq, F.SelinuxPol],
        [F.MdtBody]);
    public static readonly RequestFormat MdsReintResync = new("MDS_REINT_RESYNC", [F.RecReint, F.DlmReq], [F.MdtBody]);
    // MDS HSM.
    public static readonly RequestFormat MdsHsmAction = new(
        "MDS_HSM_ACTION",
        [F.MdtBody, F.Capa1],
        [F.MdtBody, F.MdsHsmCurrentAction]);
    public static readonly RequestFormat MdsHsmProgress = new("MDS_HSM_PROGRESS", [F.MdtBody, F.MdsHsmProgress], []);
    public static readonly RequestFormat MdsHsmCtRegister = new("MDS_HSM_CT_REGISTER", [F.MdtBody, F.MdsHsmArchive], []);
    public static readonly RequestFormat MdsHsmCtUnregister = new("MDS_HSM_CT_UNREGISTER", [F.MdtBody], []);
    public static readonly RequestFormat MdsHsmStateGet = new(
        "MDS_HSM_STATE_GET",
        [F.MdtBody, F.Capa1],
        [F.MdtBody, F.HsmUserState]);
    public static readonly RequestFormat MdsHsmStateSet = new("MDS_HSM_STATE_SET", [F.MdtBody, F.Capa1, F.HsmStateSet], []);
    public static readonly RequestFormat MdsHsmRequest = new(
        "MDS_HSM_REQUEST",
        [F.MdtBody, F.MdsHsmRequest, F.MdsHsmUserItem, F.GenericData],
        []);
    // OST.
    public static readonly RequestFormat OstGetattr = new("OST_GETATTR", [F.OstBody, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstSetattr = new("OST_SETATTR", [F.OstBody, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstPunch = new("OST_PUNCH", [F.OstBody, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstFallocate = new("OST_FALLOCATE", [F.OstBody, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstSync = new("OST_SYNC", [F.OstBody, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstCreate = new("OST_CREATE", [F.OstBody], [F.OstBody]);
    public static readonly RequestFormat OstSeek = new("OST_SEEK", [F.OstBody], [F.OstBody]);
    public static readonly RequestFormat OstDestroy = new("OST_DESTROY", [F.OstBody, F.DlmReq, F.Capa1], [F.OstBody]);
    public static readonly RequestFormat OstBrwRead = new(
        "OST_BRW_READ",
        [F.OstBody, F.ObdIoobj, F.NiobufRemote, F.Capa1, F.ShortIo],
        [F.OstBody, F.ShortIo]);
    public static readonly RequestFormat OstBrwWrite = new(
        "OST_BRW_WRITE",
        [F.OstBody, F.ObdIoobj, F.NiobufRemote, F.Capa1, F.ShortIo],
        [F.OstBody, F.Rcs]);
    public static readonly RequestFormat OstStatfs = new("OST_STATFS", [], [F.ObdStatfs]);
    public static readonly RequestFormat OstSetGrantInfo = new("OST_SET_GRANT_INFO", [F.SetinfoKey, F.OstBody], [F.OstBody]);
    public static readonly RequestFormat OstSetInfoLastFid = new("OST_SET_INFO_LAST_FID", [F.SetinfoKey, F.SetinfoVal], []);
    public static readonly RequestFormat OstGetInfo = new("OST_GET_INFO", [F.GetinfoKey], [F.GenericData]);
    public static readonly RequestFormat OstGetInfoLastId = new("OST_GET_INFO_LAST_ID", [F.GetinfoKey], [F.ObdId]);
    public static readonly RequestFormat OstGetInfoLastFid = new("OST_GET_INFO_LAST_FID", [F.GetinfoKey, F.Fid], [F.Fid]);
    public static readonly RequestFormat OstGetInfoFiemap = new(
        "OST_GET_INFO_FIEMAP",
        [F.FiemapKey, F.FiemapVal],
        [F.FiemapVal]);
    public static readonly RequestFormat OstLadvise = new(
        "OST_LADVISE",
        [F.OstBody, F.OstLadviseHdr, F.OstLadvise],
        [F.OstBody]);

    /// <summary>All formats, in the order of the table.</summary>
    public static ImmutableArray<RequestFormat> All { get; } =
    [
        Connect, MdsConnect, OstConnect, MdsDisconnect, OstDisconnect, ObdPing, SecCtx, ObdSetInfo, ObdIdxRead,
        MgsTargetReg, MgsSetInfo, MgsConfigRead, LlogOriginHandleCreate, LlogOriginHandleNextBlock,
        LlogOriginHandlePrevBlock, LlogOriginHandleReadHeader, SeqQuery, FldQuery, FldRead, QuotaDqacq, MdsQuotactl,
        OstQuotactl, LdlmIntentQuota, OutUpdate, LfsckNotify, LfsckQuery, LdlmEnqueue, LdlmEnqueueLvb, LdlmConvert,
        LdlmCancel, LdlmCallback, LdlmBlCallback, LdlmCpCallback, LdlmGlCallback, LdlmGlCallbackDesc, LdlmIntentBasic,
        LdlmIntent, LdlmIntentLayout, LdlmIntentGetattr, LdlmIntentGetxattr, LdlmIntentOpen, LdlmIntentCreate,
        MdsGetRoot, MdsStatfs, MdsStatfsNew, MdsSync, MdsReadpage, MdsGetattr, MdsGetattrName, MdsGetxattr, MdsClose,
        MdsCloseIntent, MdsGetInfo, MdtSetInfo, MdsSwapLayouts, MdsRmfid, MdsReint, MdsReintSetattr, MdsReintCreate,
        MdsReintCreateAcl, MdsReintCreateSlave, MdsReintCreateSym, MdsReintOpen, MdsReintLink, MdsReintUnlink,
        MdsReintRename, MdsReintMigrate, MdsReintSetxattr, MdsReintResync, MdsHsmAction, MdsHsmProgress,
        MdsHsmCtRegister, MdsHsmCtUnregister, MdsHsmStateGet, MdsHsmStateSet, MdsHsmRequest, OstGetattr, OstSetattr,
        OstPunch, OstFallocate, OstSync, OstCreate, OstSeek, OstDestroy, OstBrwRead, OstBrwWrite, OstStatfs,
        OstSetGrantInfo, OstSetInfoLastFid, OstGetInfo, OstGetInfoLastId, OstGetInfoLastFid, OstGetInfoFiemap,
        OstLadvise,
    ];
}
