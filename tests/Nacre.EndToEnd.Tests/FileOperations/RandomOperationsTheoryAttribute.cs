namespace Nacre.EndToEnd.FileOperations;

/// <summary>
/// Random operations run by hand only: about one run in ten of 12 s on a progressive file of one mount reads old bytes in the hole that a truncation has
/// left, and until that is mended a run says nothing of the change it is made for.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RandomOperationsTheoryAttribute : TheoryAttribute
{
    public RandomOperationsTheoryAttribute()
    {
        if (!File.Exists("/dev/fuse")) Skip = "this machine has no /dev/fuse";
        else if (!Environment.IsPrivilegedProcess) Skip = "only root mounts without a helper";
        else if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(RandomFileOperationsTests.SecondsVariable)))
            Skip = $"by hand: {RandomFileOperationsTests.SecondsVariable} is not set";
    }
}
