using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Which portal a 2.15 client sends an opcode to (02 section 4.3).</summary>
internal static class ImportPortals
{
    public static int Default(TargetKind kind) => kind switch
    {
        TargetKind.Mgs => Portal.MgsRequest,
        TargetKind.Mdt => Portal.MdsRequest,
        _ => Portal.OstRequest,
    };

    public static int For(TargetKind kind, uint opcode) => opcode switch
    {
        Opcode.LdlmCancel or Opcode.LdlmConvert => Portal.LdlmCancelRequest,
        _ when kind == TargetKind.Mdt => ForMdt(opcode),
        _ when kind == TargetKind.Ost => ForOst(opcode),
        _ => Default(kind),
    };

    private static int ForMdt(uint opcode) => opcode switch
    {
        Opcode.MdsGetattr or Opcode.MdsGetxattr or Opcode.MdsClose or Opcode.MdsReadpage => Portal.MdsReadPage,
        Opcode.OstRead or Opcode.OstWrite or Opcode.OstPunch => Portal.MdsIo,
        Opcode.SeqQuery => Portal.SeqMetadata,
        Opcode.FldQuery or Opcode.FldRead => Portal.FldRequest,
        Opcode.OutUpdate => Portal.Out,
        _ => Portal.MdsRequest,
    };

    private static int ForOst(uint opcode) => opcode switch
    {
        Opcode.OstRead or Opcode.OstWrite or Opcode.OstPunch or Opcode.OstDestroy or Opcode.OstLadvise => Portal.OstIo,
        Opcode.OstStatfs or Opcode.OstCreate => Portal.OstCreate,
        Opcode.SeqQuery => Portal.SeqData,
        Opcode.OutUpdate => Portal.Out,
        _ => Portal.OstRequest,
    };
}
