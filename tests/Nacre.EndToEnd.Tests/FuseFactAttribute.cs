namespace Nacre.EndToEnd;

/// <summary>Needs <c>/dev/fuse</c> and the right to mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FuseFactAttribute : FactAttribute
{
    public FuseFactAttribute()
    {
        if (!File.Exists("/dev/fuse")) Skip = "this machine has no /dev/fuse";
        else if (!Environment.IsPrivilegedProcess) Skip = "only root mounts without a helper";
    }
}
