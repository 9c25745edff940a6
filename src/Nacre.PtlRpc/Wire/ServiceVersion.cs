namespace Nacre.PtlRpc.Wire;

/// <summary>High half of <c>pb_version</c> in a request: the class its opcode belongs to (02 section 3.3).</summary>
public static class ServiceVersion
{
    /// <summary>Low half of <c>pb_version</c> in every message.</summary>
    public const uint Message = 3;
    public const uint MessageMask = 0x0000FFFF;
    public const uint ServiceMask = 0xFFFF0000;

    public const uint Obd = 0x00010000;
    public const uint Mds = 0x00020000;
    public const uint Ost = 0x00030000;
    public const uint Dlm = 0x00040000;
    public const uint Log = 0x00050000;
    public const uint Mgs = 0x00060000;
}
