namespace Nacre.Server.Mdt;

/// <summary>Names of extended attributes with a meaning on the wire (05 sections 5.8 and 13.1).</summary>
internal static class XattrNames
{
    public static ReadOnlySpan<byte> TrustedLov => "trusted.lov"u8;
    public static ReadOnlySpan<byte> LustreLov => "lustre.lov"u8;
    public static ReadOnlySpan<byte> TrustedLmv => "trusted.lmv"u8;
    public static ReadOnlySpan<byte> DefaultLmv => "trusted.dmv"u8;
    public static ReadOnlySpan<byte> TrustedLink => "trusted.link"u8;
    public static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access"u8;
    public static ReadOnlySpan<byte> LustreLovPrefix => "lustre.lov."u8;

    /// <summary>Attributes a restore tool writes back; they stay what they are and the tool hears success.</summary>
    public static bool IsProtected(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(TrustedLov) || name.SequenceEqual("trusted.lma"u8) || name.SequenceEqual(TrustedLmv)
        || name.SequenceEqual(TrustedLink) || name.SequenceEqual("trusted.fid"u8) || name.SequenceEqual("trusted.version"u8)
        || name.SequenceEqual("trusted.som"u8) || name.SequenceEqual("trusted.hsm"u8)
        || name.SequenceEqual("trusted.lfsck_namespace"u8);
}
