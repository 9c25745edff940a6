namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Names of extended attributes that mean something to the server (05 section 13.1).</summary>
internal static class XattrNames
{
    public static ReadOnlySpan<byte> User => "user."u8;
    public static ReadOnlySpan<byte> Trusted => "trusted."u8;
    public static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access"u8;
    public static ReadOnlySpan<byte> DefaultAcl => "system.posix_acl_default"u8;
    public static ReadOnlySpan<byte> Lov => "trusted.lov"u8;
    public static ReadOnlySpan<byte> Lma => "trusted.lma"u8;
    public static ReadOnlySpan<byte> Link => "trusted.link"u8;
    public static ReadOnlySpan<byte> Som => "trusted.som"u8;
    public static ReadOnlySpan<byte> Hsm => "trusted.hsm"u8;

    /// <summary>Names whose change by a client succeeds without effect: backup tools restore them (05 section 5.8).</summary>
    public static bool IsServersOwn(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(Lov) || name.SequenceEqual(Lma) || name.SequenceEqual(Link) || name.SequenceEqual(Som)
        || name.SequenceEqual(Hsm) || name.SequenceEqual("trusted.lmv"u8) || name.SequenceEqual("trusted.fid"u8)
        || name.SequenceEqual("trusted.version"u8) || name.SequenceEqual("trusted.lfsck_namespace"u8);
}
