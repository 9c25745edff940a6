using System.Buffers.Binary;

namespace Nacre.PtlRpc.Wire;

/// <summary>Which format a request has: its opcode says so, often together with a sub-opcode, an intent or a key (02 section 8.3).</summary>
public static partial class RequestFormats
{
    private const ulong IntentOpen = 0x1;
    private const ulong IntentGetattr = 0x8;
    private const ulong IntentLookup = 0x10;
    private const ulong IntentGetxattr = 0x80;
    private const ulong IntentLayout = 0x400;
    private const ulong IntentQuota = 0x1800;

    /// <summary>Offset of the mode in the create form of <c>mdt_rec_reint</c>; a symbolic link has another format.</summary>
    private const int CreateModeOffset = 112;
    private const uint FileTypeMask = 0xF000;
    private const uint SymbolicLink = 0xA000;

    /// <summary>The format of a request, or null for an opcode that is not in the table.</summary>
    public static RequestFormat? ForRequest(uint opcode, LustreMessage message) => opcode switch
    {
        Opcode.LdlmEnqueue => ForEnqueue(message),
        Opcode.MdsReint => ForReint(message),
        Opcode.MdsClose => message.BufferCount > 4 ? MdsCloseIntent : MdsClose,
        Opcode.MdsStatfs => message.BufferCount > 1 ? MdsStatfsNew : MdsStatfs,
        Opcode.OstSetInfo => KeyIs(message, "grant_shrink"u8) ? OstSetGrantInfo : ObdSetInfo,
        Opcode.OstGetInfo => ForOstGetInfo(message),
        Opcode.LdlmGlCallback => message.BufferCount > 2 ? LdlmGlCallbackDesc : LdlmGlCallback,
        _ => ForOpcode(opcode),
    };

    private static RequestFormat? ForOpcode(uint opcode) => opcode switch
    {
        Opcode.OstConnect => OstConnect,
        Opcode.MdsConnect => MdsConnect,
        Opcode.MgsConnect => Connect,
        Opcode.OstDisconnect => OstDisconnect,
        Opcode.MdsDisconnect or Opcode.MgsDisconnect => MdsDisconnect,
        Opcode.ObdPing => ObdPing,
        Opcode.ObdIdxRead => ObdIdxRead,
        Opcode.SecCtxInit or Opcode.SecCtxInitCont or Opcode.SecCtxFini => SecCtx,
        >= Opcode.OstGetattr and < Opcode.MdsGetattr => ForOst(opcode),
        >= Opcode.MdsGetattr and < Opcode.LdlmEnqueue => ForMds(opcode),
        >= Opcode.LdlmEnqueue and < Opcode.MgsConnect => ForLdlm(opcode),
        _ => ForOthers(opcode),
    };

    private static RequestFormat? ForOst(uint opcode) => opcode switch
    {
        Opcode.OstGetattr => OstGetattr,
        Opcode.OstSetattr => OstSetattr,
        Opcode.OstRead => OstBrwRead,
        Opcode.OstWrite => OstBrwWrite,
        Opcode.OstCreate => OstCreate,
        Opcode.OstDestroy => OstDestroy,
        Opcode.OstPunch => OstPunch,
        Opcode.OstStatfs => OstStatfs,
        Opcode.OstSync => OstSync,
        Opcode.OstQuotactl => OstQuotactl,
        Opcode.OstLadvise => OstLadvise,
        Opcode.OstFallocate => OstFallocate,
        Opcode.OstSeek => OstSeek,
        _ => null,
    };

    private static RequestFormat? ForMds(uint opcode) => opcode switch
    {
        Opcode.MdsGetattr => MdsGetattr,
        Opcode.MdsGetattrName => MdsGetattrName,
        Opcode.MdsReadpage => MdsReadpage,
        Opcode.MdsGetRoot => MdsGetRoot,
        Opcode.MdsSync => MdsSync,
        Opcode.MdsSetInfo => MdtSetInfo,
        Opcode.MdsQuotactl => MdsQuotactl,
        Opcode.MdsGetxattr => MdsGetxattr,
        Opcode.MdsGetInfo => MdsGetInfo,
        Opcode.MdsHsmStateGet => MdsHsmStateGet,
        Opcode.MdsHsmStateSet => MdsHsmStateSet,
        Opcode.MdsHsmAction => MdsHsmAction,
        Opcode.MdsHsmProgress => MdsHsmProgress,
        Opcode.MdsHsmRequest => MdsHsmRequest,
        Opcode.MdsHsmCtRegister => MdsHsmCtRegister,
        Opcode.MdsHsmCtUnregister => MdsHsmCtUnregister,
        Opcode.MdsSwapLayouts => MdsSwapLayouts,
        Opcode.MdsRmfid => MdsRmfid,
        _ => null,
    };

    private static RequestFormat? ForLdlm(uint opcode) => opcode switch
    {
        Opcode.LdlmConvert => LdlmConvert,
        Opcode.LdlmCancel => LdlmCancel,
        Opcode.LdlmBlCallback => LdlmBlCallback,
        Opcode.LdlmCpCallback => LdlmCpCallback,
        Opcode.LdlmSetInfo => ObdSetInfo,
        _ => null,
    };

    private static RequestFormat? ForOthers(uint opcode) => opcode switch
    {
        Opcode.MgsTargetReg => MgsTargetReg,
        Opcode.MgsSetInfo => MgsSetInfo,
        Opcode.MgsConfigRead => MgsConfigRead,
        Opcode.LlogOriginHandleCreate => LlogOriginHandleCreate,
        Opcode.LlogOriginHandleNextBlock => LlogOriginHandleNextBlock,
        Opcode.LlogOriginHandlePrevBlock => LlogOriginHandlePrevBlock,
        Opcode.LlogOriginHandleReadHeader => LlogOriginHandleReadHeader,
        Opcode.QuotaDqacq => QuotaDqacq,
        Opcode.SeqQuery => SeqQuery,
        Opcode.FldQuery => FldQuery,
        Opcode.FldRead => FldRead,
        Opcode.OutUpdate => OutUpdate,
        Opcode.LfsckNotify => LfsckNotify,
        Opcode.LfsckQuery => LfsckQuery,
        _ => null,
    };

    private static RequestFormat ForEnqueue(LustreMessage message)
    {
        var intent = message.Buffer(2);
        if (intent.Length < sizeof(ulong))
        {
            return LdlmEnqueue;
        }

        var bits = BinaryPrimitives.ReadUInt64LittleEndian(intent);
        if ((bits & IntentOpen) != 0)
        {
            return LdlmIntentOpen;
        }

        if ((bits & (IntentGetattr | IntentLookup)) != 0)
        {
            return LdlmIntentGetattr;
        }

        if ((bits & IntentGetxattr) != 0)
        {
            return LdlmIntentGetxattr;
        }

        if ((bits & IntentLayout) != 0)
        {
            return LdlmIntentLayout;
        }

        return (bits & IntentQuota) != 0 ? LdlmIntentQuota : LdlmIntentBasic;
    }

    private static RequestFormat ForReint(LustreMessage message)
    {
        var record = message.Buffer(1);
        var reint = record.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(record) : 0;
        return reint switch
        {
            1 => MdsReintSetattr,
            2 => CreatesSymbolicLink(record) ? MdsReintCreateSym : MdsReintCreateAcl,
            3 => MdsReintLink,
            4 or 8 => MdsReintUnlink,
            5 => MdsReintRename,
            6 => MdsReintOpen,
            7 => MdsReintSetxattr,
            9 => MdsReintMigrate,
            10 => MdsReintResync,
            _ => MdsReint,
        };
    }

    private static bool CreatesSymbolicLink(ReadOnlySpan<byte> record) => record.Length >= CreateModeOffset + sizeof(uint)
        && (BinaryPrimitives.ReadUInt32LittleEndian(record[CreateModeOffset..]) & FileTypeMask) == SymbolicLink;

    private static RequestFormat ForOstGetInfo(LustreMessage message)
    {
        if (KeyIs(message, "last_id"u8))
        {
            return OstGetInfoLastId;
        }

        if (KeyIs(message, "last_fid"u8))
        {
            return OstGetInfoLastFid;
        }

        return KeyIs(message, "fiemap"u8) ? OstGetInfoFiemap : OstGetInfo;
    }

    /// <summary>Buffer 1 begins with the key, and ends there or goes on with a NUL.</summary>
    private static bool KeyIs(LustreMessage message, ReadOnlySpan<byte> key)
    {
        var buffer = message.Buffer(1);
        return buffer.StartsWith(key) && (buffer.Length == key.Length || buffer[key.Length] == 0);
    }
}
