using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>The small commands: osts, mdts, check, path2fid, fid2path, getdirstripe, getname.</summary>
internal static class Queries
{
    private static readonly Options None = new();
    private static readonly Options ForDirectories = new("c:mdt-count:count", "d:directory", "D:default", "H:mdt-hash", "i:mdt-index:m", "r:recursive");

    /// <summary>"OBDS:" or "MDTS:" and what is there of it.</summary>
    public static void ListTargets(IReadOnlyList<string> arguments, bool mdts, TextWriter output)
    {
        var mountPoint = MountPointOf(arguments);
        output.Write(mdts ? "MDTS:\n" : "OBDS:\n");
        foreach (var target in LustreFiles.TargetsOf(mountPoint).Where(target => target.IsMdt == mdts))
        {
            output.Write($"{target.Index}: {target.Uuid} {(target.IsActive ? "ACTIVE" : "INACTIVE")}\n");
        }
    }

    /// <summary><c>lfs check servers|osts|mdts</c>.</summary>
    public static void Check(IReadOnlyList<string> arguments, TextWriter output)
    {
        var words = None.Read(arguments).Words;
        if (words is not ["servers" or "osts" or "mdts", ..]) throw new LfsException("check what? servers, osts or mdts");
        var dead = 0;
        foreach (var target in LustreFiles.TargetsOf(MountPointOf(words[1..])))
        {
            if (words[0] == (target.IsMdt ? "osts" : "mdts")) continue;
            output.Write($"{Name(target.Uuid)} {(target.IsActive ? "active." : "inactive.")}\n");
            dead += target.IsActive ? 0 : 1;
        }

        if (dead > 0) throw new LfsException($"{dead} of them do not answer");
    }

    public static void PathToFid(IReadOnlyList<string> arguments, TextWriter output)
    {
        var paths = None.Read(arguments).Words;
        if (paths.Count == 0) throw new LfsException("which files?");
        foreach (var path in paths)
        {
            var fid = LustreFiles.FidOf(path);
            output.Write(paths.Count == 1 ? $"{fid}\n" : $"{path}: {fid}\n");
        }
    }

    /// <summary>Every name of each object, below the mount that was named.</summary>
    public static void FidToPath(IReadOnlyList<string> arguments, TextWriter output)
    {
        var words = None.Read(arguments).Words;
        if (words.Count < 2) throw new LfsException("fid2path MOUNT FID...");
        var mountPoint = LustreFiles.MountOf(words[0]).MountPoint;
        foreach (var word in words[1..])
        {
            if (!LuFid.TryParse(word, out var fid)) throw new LfsException($"'{word}' is no FID such as [0x200000401:0x1:0x0]");
            foreach (var path in LustreFiles.PathsOf(mountPoint, fid.ToString())) output.Write($"{Path.Combine(mountPoint, path)}\n");
        }
    }

    /// <summary>Directories are not striped over MDTs here: there is one.</summary>
    public static void GetDirectoryStripe(IReadOnlyList<string> arguments, TextWriter output)
    {
        var (options, paths) = ForDirectories.Read(arguments);
        if (paths.Count == 0) throw new LfsException("which directories?");
        var fields = options.Where(static option => option.Name is "c" or "H" or "i").Select(static option => option.Name).ToList();
        foreach (var path in paths)
        {
            LustreFiles.MountOf(path);
            if (!Directory.Exists(path)) throw new LfsException($"{path} is not a directory");
            if (fields.Count == 0) output.Write("lmv_stripe_count: 0 lmv_stripe_offset: 0 lmv_hash_type: none\n");
            foreach (var field in fields) output.Write(field == "H" ? "none\n" : "0\n");
        }
    }

    /// <summary>Which file system is mounted where.</summary>
    public static void GetName(IReadOnlyList<string> arguments, TextWriter output)
    {
        var mountPoint = MountPointOf(arguments);
        var uuid = LustreFiles.TargetsOf(mountPoint)[0].Uuid;
        output.Write($"{uuid[..uuid.LastIndexOf("-MDT", StringComparison.Ordinal)]} {mountPoint}\n");
    }

    private static string MountPointOf(IReadOnlyList<string> arguments)
    {
        var words = None.Read(arguments).Words;
        return LustreFiles.MountOf(words.Count > 0 ? words[0] : Environment.CurrentDirectory).MountPoint;
    }

    private static string Name(string uuid) => uuid.EndsWith("_UUID", StringComparison.Ordinal) ? uuid[..^5] : uuid;
}
