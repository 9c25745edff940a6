namespace Nacre.EndToEnd.FileOperations;

/// <summary>A test over real mounts: it needs <c>/dev/fuse</c> and the right to mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FuseTheoryAttribute : TheoryAttribute
{
    public FuseTheoryAttribute()
    {
        if (!File.Exists("/dev/fuse")) Skip = "this machine has no /dev/fuse";
        else if (!Environment.IsPrivilegedProcess) Skip = "only root mounts without a helper";
    }
}
