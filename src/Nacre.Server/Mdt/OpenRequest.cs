using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>The fixed part of an open intent, checked (05 section 6.6).</summary>
internal readonly record struct OpenRequest(MdtRecCreate Record, MdtCredentials Who, bool HasName)
{
    public MdsOpen Flags => Record.Flags;
    public bool Has(MdsOpen flag) => (Record.Flags & flag) != 0;
    public bool Creates => Has(MdsOpen.Creat);
    public bool Writes => Has(MdsOpen.Write);
    public bool ByFid => Has(MdsOpen.ByFid) && !Record.Fid2.IsZero;
    /// <summary>The opener wants to have the file for itself, and to hear of it when somebody else wants it (07 section 7).</summary>
    public bool IsLease => Has(MdsOpen.Lease);
    public bool IsVolatile => Has(MdsOpen.Volatile);

    /// <summary>What the store counts and checks; the bits have the same values.</summary>
    public OpenMode Mode => (OpenMode)Record.Flags;

    /// <summary>Whether this open has to leave a regular file with a layout.</summary>
    public bool NeedsLayout => (Writes || Has(MdsOpen.HasEa)) && !Has(MdsOpen.DelayCreate);
}
