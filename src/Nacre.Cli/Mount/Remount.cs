using Nacre.Fuse;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli.Mount;

/// <summary>
/// <c>mount -o remount</c>: the kernel's flags of a mount change, the process that serves it does not. mount(8) gives all options of the mount with those
/// that are to change; whatever is no flag stays as it is.
/// </summary>
internal static class Remount
{
    public static bool IsAskedBy(string options) => Split(options).Contains("remount");

    /// <exception cref="FuseMountException">It cannot be done; says why.</exception>
    public static void Run(string folder, string options)
    {
        if (MountTable.Find(folder) is not { Type: "fuse.nacre" } mounted) throw new FuseMountException($"nothing of nacre is mounted at {folder}");
        int flags = Flags(options);
        if (!MountFlag.IsReadOnly(flags) && MountRecord.IsReadOnly(mounted.Device))
        {
            throw new FuseMountException($"{folder} was mounted read-only: unmount it, and mount it again");
        }

        FuseMount.Remount(Path.GetFullPath(folder), flags);
    }

    internal static int Flags(string options)
    {
        int flags = 0;
        foreach (string option in Split(options)) _ = MountFlag.TryApply(option, ref flags);
        return flags;
    }

    private static string[] Split(string options) =>
        options.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
