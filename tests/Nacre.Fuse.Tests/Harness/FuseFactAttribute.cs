namespace Nacre.Fuse.Tests.Harness;

/// <summary>A test over a real mount: it needs <c>/dev/fuse</c> and the right to mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FuseFactAttribute : FactAttribute
{
    public FuseFactAttribute() => Skip = Reason;

    public static string? Reason =>
        !File.Exists("/dev/fuse") ? "this machine has no /dev/fuse"
        : Environment.UserName != "root" ? "only root mounts without a helper"
        : null;
}

/// <summary>The same with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FuseTheoryAttribute : TheoryAttribute
{
    public FuseTheoryAttribute() => Skip = FuseFactAttribute.Reason;
}
