using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>
/// <c>lfs setstripe</c>: makes files with a layout, or sets the default of directories. A file is made without objects (mknod) and its layout set as the
/// attribute <c>lustre.lov</c>, which works the same on a mount of ours and of the kernel's client.
/// </summary>
internal static class SetStripe
{
    private const uint NewFile = 0x1b6;

    public static void Run(IReadOnlyList<string> arguments)
    {
        var (options, paths) = LayoutArguments.Known.Read(arguments);
        var layout = LayoutArguments.Parse(options);
        if (paths.Count == 0) throw new LfsException("which file or directory?");
        foreach (var path in paths)
        {
            LustreFiles.MountOf(path);
            Apply(path, layout, isDelete: options is [("d", _)]);
        }
    }

    private static void Apply(string path, LovLayout layout, bool isDelete)
    {
        var made = !isDelete && Make(path);
        if (isDelete && !Directory.Exists(path)) throw new LfsException($"{path}: only a directory's default can be deleted");
        var errno = LustreFiles.SetLayout(path, layout);
        if (errno == 0) return;
        // Whoever could not get the layout asked for does not want the file either.
        if (made) File.Delete(path);
        throw new LfsException(Explain(path, errno));
    }

    /// <returns>False when something is there already.</returns>
    private static bool Make(string path) => FileCalls.MakeFile(path, NewFile) switch
    {
        0 => true,
        Errno.EEXIST => false,
        var errno => throw LustreFiles.Failed(path, errno),
    };

    private static string Explain(string path, int errno) => errno switch
    {
        Errno.EEXIST => $"{path}: stripe already set",
        Errno.EINVAL => $"{path}: the server refuses this layout: an OST that does not exist, or sizes that do not fit together",
        Errno.EOPNOTSUPP => $"{path}: the server does not support this layout",
        Errno.EPERM or Errno.EACCES => $"{path}: permission denied",
        _ => LustreFiles.Failed(path, errno).Message,
    };
}
