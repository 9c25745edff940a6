using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.Fuse.Mounting;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>One target as the mount describes it.</summary>
/// <param name="Numbers">Block size in bytes, blocks, free, available, files, free files; empty when it does not answer.</param>
internal sealed record TargetLine(bool IsMdt, int Index, string Uuid, bool IsActive, ulong[] Numbers);

/// <summary>What a mounted Lustre file system tells of its files, by extended attributes: a mount of ours all of it, the kernel's client the layouts.</summary>
internal static class LustreFiles
{
    private const string LayoutName = "lustre.lov";
    private const string TargetsName = "lustre.targets";
    private const string FuseType = "fuse.nacre", KernelType = "lustre";

    /// <summary>The mount that holds a path; its last part need not exist.</summary>
    /// <exception cref="LfsException">It is of another kind.</exception>
    public static MountTable.Mounted MountOf(string path)
    {
        for (var at = Resolve(path); at is not null; at = Path.GetDirectoryName(at))
        {
            if (MountTable.Find(at) is not { } mounted) continue;
            if (mounted.Type is FuseType or KernelType) return mounted;
            break;
        }

        throw new LfsException($"{path} is not on a Lustre file system");
    }

    /// <summary>Mount points of ours that can be asked; one whose process is gone cannot.</summary>
    public static List<string> AllMounts() =>
    [
        .. MountTable.All()
            .Where(static mounted => mounted.Type == FuseType && FileCalls.GetXattr(mounted.MountPoint, TargetsName, out _) == 0)
            .Select(static mounted => mounted.MountPoint),
    ];

    /// <summary>Null when the file has no layout yet, or the directory no default.</summary>
    /// <exception cref="LfsException">It cannot be had.</exception>
    public static LovLayout? LayoutOf(string path, bool isDirectory)
    {
        var errno = FileCalls.GetXattr(path, LayoutName, out var ea);
        if (errno == Errno.ENODATA) return null;
        if (errno != 0) throw Failed(path, errno);
        return LovCodec.TryDecode(ea, userForm: isDirectory, out var layout)
            ? layout
            : throw new LfsException($"{path}: the layout is of a kind not known here");
    }

    /// <returns>0 or a positive errno.</returns>
    public static int SetLayout(string path, LovLayout layout) => FileCalls.SetXattr(path, LayoutName, LovCodec.Encode(layout));

    /// <exception cref="LfsException">No such file, or a mount that does not tell.</exception>
    public static string FidOf(string path) => Encoding.ASCII.GetString(Ask(path, "lustre.fid", path));

    /// <summary>All paths of an object, relative to the mount.</summary>
    public static string[] PathsOf(string mountPoint, string fid) =>
        Encoding.UTF8.GetString(Ask(mountPoint, "lustre.fid2path." + fid, fid)).Split('\0')[..^1];

    public static List<TargetLine> TargetsOf(string mountPoint)
    {
        var text = Encoding.ASCII.GetString(Ask(mountPoint, TargetsName, mountPoint));
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    public static LfsException Failed(string what, int errno) => new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)}");

    private static TargetLine Parse(string line)
    {
        var words = line.Split(' ');
        return new TargetLine(
            words[0] == "MDT",
            int.Parse(words[1], CultureInfo.InvariantCulture),
            words[2],
            words[3] == "active",
            [.. words[4..].Select(static word => ulong.Parse(word, CultureInfo.InvariantCulture))]);
    }

    private static byte[] Ask(string path, string name, string shown)
    {
        var errno = FileCalls.GetXattr(path, name, out var value);
        return errno switch
        {
            0 => value,
            Errno.ENODATA or Errno.EOPNOTSUPP when MountOf(path).Type == KernelType =>
                throw new LfsException("the kernel's client does not tell: use its own lfs"),
            Errno.ENODATA or Errno.EOPNOTSUPP => throw new LfsException($"{shown} is not on a Lustre file system"),
            _ => throw Failed(shown, errno),
        };
    }

    /// <summary>The full path with the symbolic links in it followed.</summary>
    private static string Resolve(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var resolved = "/";
        foreach (var part in full.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(resolved, part);
            resolved = Path.Exists(next) ? new DirectoryInfo(next).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next : next;
        }

        return resolved;
    }
}
