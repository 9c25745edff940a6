using System.Globalization;
using Nacre.Client;
using Nacre.Fuse;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli.Mount;

/// <summary>What <c>-o</c> says, on top of a device such as <c>10.0.0.1@tcp:/demo</c>.</summary>
internal sealed record MountArguments(MountOptions Lustre, FuseOptions Fuse)
{
    /// <summary>
    /// Of mount(8), fstab and the kernel client: they say what is so anyway, or something to those who read fstab. Options that begin with "x-" or
    /// "comment=" do too.
    /// </summary>
    private static readonly HashSet<string> Ignored =
    [
        "defaults", "auto", "noauto", "nofail", "_netdev", "user", "nouser", "users", "owner", "group", "verbose", "noverbose",
        "user_xattr", "lazystatfs", "nolazystatfs", "statfs_project", "user_fid2path", "default_permissions", "silent", "loud",
        "iversion", "noiversion", "nomand", "lazytime", "nolazytime",
    ];

    /// <exception cref="FormatException">Says in one line what is wrong.</exception>
    public static MountArguments Parse(string device, string options, bool isRoot)
    {
        // Root mounts for all, as with the kernel client, and from a port that genuine servers accept.
        var arguments = new MountArguments(
            MountOptions.Parse(device) with { PrivilegedPorts = isRoot },
            new FuseOptions { AllowOther = isRoot });
        return options.Split(',', StringSplitOptions.RemoveEmptyEntries).Aggregate(arguments, static (all, option) => all.With(option.Trim()));
    }

    private MountArguments With(string option)
    {
        int flags = Fuse.MountFlags;
        if (option is "ro" or "rw") return this with { Lustre = Lustre with { ReadOnly = option == "ro" }, Fuse = Fuse with { ReadOnly = option == "ro" } };
        if (MountFlag.TryApply(option, ref flags)) return WithFlags(flags);
        if (Ignored.Contains(option) || option.StartsWith("x-", StringComparison.Ordinal)) return this;
        int equals = option.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? WithWord(option) : WithValue(option[..equals], option[(equals + 1)..]);
    }

    private MountArguments WithFlags(int flags) => new(
        Lustre with
        {
            AccessTimes = MountFlag.IsNoAccessTime(flags) ? AccessTimes.Never : MountFlag.IsStrictAccessTime(flags) ? AccessTimes.Strict : AccessTimes.Relative,
        },
        Fuse with { MountFlags = flags });

    private MountArguments WithWord(string option) => option switch
    {
        "allow_other" => this with { Fuse = Fuse with { AllowOther = true } },
        "noallow_other" => this with { Fuse = Fuse with { AllowOther = false } },
        "auto_unmount" => this with { Fuse = Fuse with { AutoUnmount = true } },
        "flock" => this with { Fuse = Fuse with { Locking = FileLocking.Shared } },
        "localflock" => this with { Fuse = Fuse with { Locking = FileLocking.Local } },
        "noflock" => this with { Fuse = Fuse with { Locking = FileLocking.None } },
        "acl" => this with { Lustre = Lustre with { Acl = true } },
        "noacl" => this with { Lustre = Lustre with { Acl = false } },
        "checksum" => this with { Lustre = Lustre with { Checksums = true } },
        "nochecksum" => this with { Lustre = Lustre with { Checksums = false } },
        "privport" => this with { Lustre = Lustre with { PrivilegedPorts = true } },
        "noprivport" => this with { Lustre = Lustre with { PrivilegedPorts = false } },
        _ => throw new FormatException($"there is no mount option '{option}'"),
    };

    private MountArguments WithValue(string name, string value) => name switch
    {
        "port" => this with { Lustre = Lustre with { Port = Number(name, value, 1, 65535) } },
        "timeout" => this with { Lustre = Lustre with { MountTimeout = TimeSpan.FromSeconds(Number(name, value, 1, 3600)) } },
        "max_threads" => this with { Fuse = Fuse with { MaxThreads = Number(name, value, 1, 64) } },
        "max_background" => this with { Fuse = Fuse with { MaxBackground = Number(name, value, 1, 4096) } },
        "max_inodes" => this with { Fuse = Fuse with { MaxNodes = Number(name, value, 1000, 100_000_000) } },
        "readahead_kb" => this with { Fuse = Fuse with { ReadAhead = Number(name, value, 0, 1 << 16) << 10 } },
        "comment" or "retry" => this,
        _ => throw new FormatException($"there is no mount option '{name}='"),
    };

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name}={value}: a number from {least} to {most} is needed");
}
