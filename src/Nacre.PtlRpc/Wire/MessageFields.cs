namespace Nacre.PtlRpc.Wire;

/// <summary>Every buffer that occurs in a message, with upstream's names in PascalCase (02 section 8.1).</summary>
public static class MessageFields
{
    public static readonly MessageField Acl = Bytes("ACL");
    public static readonly MessageField Capa1 = Bytes("CAPA1");
    public static readonly MessageField Capa2 = Bytes("CAPA2");
    public static readonly MessageField CloseData = Structure("CLOSE_DATA", 96);
    public static readonly MessageField Cluuid = Text("CLUUID");
    public static readonly MessageField Conn = Structure("CONN", 8);
    /// <summary>Any size from that of the oldest clients.</summary>
    public static readonly MessageField ConnectData = Structure("CONNECT_DATA", ObdConnectData.SizeV1);
    public static readonly MessageField DefaultMdtMd = Bytes("DEFAULT_MDT_MD");
    public static readonly MessageField DlmGlDesc = Structure("DLM_GL_DESC", 64);
    public static readonly MessageField DlmLvb = Bytes("DLM_LVB");
    public static readonly MessageField DlmRep = Structure("DLM_REP", 112);
    /// <summary>Room for two lock handles; longer with more of them.</summary>
    public static readonly MessageField DlmReq = Structure("DLM_REQ", 104);
    public static readonly MessageField Eadata = Bytes("EADATA");
    public static readonly MessageField Eavals = Bytes("EAVALS");
    public static readonly MessageField EavalsLens = Array("EAVALS_LENS", 4);
    public static readonly MessageField Fid = Structure("FID", 16);
    public static readonly MessageField FidArray = Array("FID_ARRAY", 16);
    public static readonly MessageField FiemapKey = Structure("FIEMAP_KEY", 248);
    public static readonly MessageField FiemapVal = Bytes("FIEMAP_VAL");
    public static readonly MessageField FileEncctx = Bytes("FILE_ENCCTX");
    public static readonly MessageField FileSecctx = Bytes("FILE_SECCTX");
    public static readonly MessageField FileSecctxName = Text("FILE_SECCTX_NAME");
    public static readonly MessageField FldMdfld = Structure("FLD_MDFLD", 24);
    public static readonly MessageField FldOpc = Structure("FLD_OPC", 4);
    public static readonly MessageField GenericData = Bytes("GENERIC_DATA");
    public static readonly MessageField GetinfoKey = Bytes("GETINFO_KEY");
    public static readonly MessageField GetinfoVal = Bytes("GETINFO_VAL");
    public static readonly MessageField GetinfoVallen = Structure("GETINFO_VALLEN", 4);
    public static readonly MessageField HsmStateSet = Structure("HSM_STATE_SET", 24);
    public static readonly MessageField HsmUserState = Structure("HSM_USER_STATE", 32);
    public static readonly MessageField IdxInfo = Structure("IDX_INFO", 80);
    public static readonly MessageField LayoutIntent = Structure("LAYOUT_INTENT", 24);
    public static readonly MessageField LdlmIntent = Structure("LDLM_INTENT", 8);
    public static readonly MessageField LfsckReply = Structure("LFSCK_REPLY", 16);
    public static readonly MessageField LfsckRequest = Structure("LFSCK_REQUEST", 96);
    public static readonly MessageField LlogdBody = Structure("LLOGD_BODY", 48);
    public static readonly MessageField LlogLogHdr = Structure("LLOG_LOG_HDR", 8192);
    public static readonly MessageField Logcookies = Bytes("LOGCOOKIES");
    public static readonly MessageField MdsHsmArchive = Array("MDS_HSM_ARCHIVE", 4);
    public static readonly MessageField MdsHsmCurrentAction = Structure("MDS_HSM_CURRENT_ACTION", 24);
    public static readonly MessageField MdsHsmProgress = Structure("MDS_HSM_PROGRESS", 64);
    public static readonly MessageField MdsHsmRequest = Structure("MDS_HSM_REQUEST", 24);
    public static readonly MessageField MdsHsmUserItem = Array("MDS_HSM_USER_ITEM", 32);
    public static readonly MessageField MdtBody = Structure("MDT_BODY", 216);
    public static readonly MessageField MdtEpoch = Structure("MDT_EPOCH", 24);
    public static readonly MessageField MdtMd = Bytes("MDT_MD");
    public static readonly MessageField MgsConfigBody = Structure("MGS_CONFIG_BODY", 80);
    public static readonly MessageField MgsConfigRes = Structure("MGS_CONFIG_RES", 16);
    public static readonly MessageField MgsSendParam = Structure("MGS_SEND_PARAM", 1024);
    public static readonly MessageField MgsTargetInfo = Structure("MGS_TARGET_INFO", 4544);
    public static readonly MessageField Name = Text("NAME");
    public static readonly MessageField NiobufInline = Bytes("NIOBUF_INLINE");
    public static readonly MessageField NiobufRemote = Array("NIOBUF_REMOTE", 16);
    public static readonly MessageField ObdId = Structure("OBD_ID", 8);
    public static readonly MessageField ObdIoobj = Array("OBD_IOOBJ", 24);
    public static readonly MessageField ObdQuotactl = Structure("OBD_QUOTACTL", 112);
    public static readonly MessageField ObdStatfs = Structure("OBD_STATFS", 144);
    public static readonly MessageField OstBody = Structure("OST_BODY", 208);
    public static readonly MessageField OstLadvise = Array("OST_LADVISE", 32);
    public static readonly MessageField OstLadviseHdr = Structure("OST_LADVISE_HDR", 32);
    public static readonly MessageField OutUpdateBuf = Array("OUT_UPDATE_BUF", 8);
    public static readonly MessageField OutUpdateHeader = Structure("OUT_UPDATE_HEADER", 16);
    public static readonly MessageField OutUpdateReply = Bytes("OUT_UPDATE_REPLY");
    public static readonly MessageField PtlrpcBody = Structure("PTLRPC_BODY", Wire.PtlrpcBody.SizeV2);
    public static readonly MessageField QuotaBody = Structure("QUOTA_BODY", 112);
    public static readonly MessageField Rcs = Array("RCS", 4);
    public static readonly MessageField RecReint = Structure("REC_REINT", 136);
    public static readonly MessageField SelinuxPol = Text("SELINUX_POL");
    public static readonly MessageField SeqOpc = Structure("SEQ_OPC", 4);
    public static readonly MessageField SeqRange = Structure("SEQ_RANGE", 24);
    public static readonly MessageField SetinfoKey = Bytes("SETINFO_KEY");
    public static readonly MessageField SetinfoVal = Bytes("SETINFO_VAL");
    public static readonly MessageField ShortIo = Bytes("SHORT_IO");
    public static readonly MessageField SwapLayouts = Structure("SWAP_LAYOUTS", 8);
    public static readonly MessageField Symtgt = Bytes("SYMTGT");
    public static readonly MessageField Tgtuuid = Text("TGTUUID");
    public static readonly MessageField U32 = Array("U32", 4);

    private static MessageField Structure(string name, int size) => new(name, FieldKind.Structure, size);

    private static MessageField Array(string name, int elementSize) => new(name, FieldKind.Array, elementSize);

    private static MessageField Text(string name) => new(name, FieldKind.Text, 0);

    private static MessageField Bytes(string name) => new(name, FieldKind.Bytes, 0);
}
