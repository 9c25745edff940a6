namespace Nacre.EndToEnd.Posix;

/// <summary>A test over real mounts: it needs <c>/dev/fuse</c>, and root to mount for everybody and to act as other users.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PosixFactAttribute : FactAttribute
{
    public PosixFactAttribute() => Skip = Reason;

    public static string? Reason =>
        !File.Exists("/dev/fuse") ? "this machine has no /dev/fuse"
        : !Environment.IsPrivilegedProcess ? "only root mounts for all users and acts as other users"
        : null;
}

/// <summary>The same with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PosixTheoryAttribute : TheoryAttribute
{
    public PosixTheoryAttribute() => Skip = PosixFactAttribute.Reason;
}
