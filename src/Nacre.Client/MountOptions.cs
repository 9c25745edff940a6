using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.LNet;
using Nacre.LNet.Transports;

namespace Nacre.Client;

/// <summary>When a read moves a file's time of the last access, as <c>relatime</c>, <c>strictatime</c> and <c>noatime</c> of mount(8).</summary>
public enum AccessTimes
{
    /// <summary>When it is not later than that of the last change, or a day old.</summary>
    Relative,
    Strict,
    Never,
}

/// <summary>What to mount, and how. The bounds on a mount's memory are here.</summary>
public sealed record MountOptions
{
    /// <summary>Nodes the management server may be on, best first: <c>mount</c>'s list before <c>:/</c>.</summary>
    public required IReadOnlyList<Nid> ManagementNids { get; init; }

    /// <summary>At most 8 characters of <c>A-Z a-z 0-9 _ -</c> (04 section 1.1).</summary>
    public required string FileSystem { get; init; }

    /// <summary>Directory that becomes the root, such as <c>/projects/a</c>; empty for the whole file system.</summary>
    public string SubDirectory { get; init; } = "";

    /// <summary>TCP port of LNet on the servers.</summary>
    public int Port { get; init; } = LNetOptions.DefaultPort;

    /// <summary>This client's address; null takes the local address that leads to the servers.</summary>
    public Nid? LocalNid { get; init; }

    /// <summary>
    /// Process id in LNet; null picks one that tells several mounts of a machine apart. Kernel nodes have <see cref="PeerId.LustrePid"/>
    /// (01 section 2.4).
    /// </summary>
    public uint? LocalPid { get; init; }

    /// <summary>Dial from ports below 1024, as kernel servers demand by default (01 section 3.5); needs a privilege.</summary>
    public bool PrivilegedPorts { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>When a read moves a file's time of the last access.</summary>
    public AccessTimes AccessTimes { get; init; }

    /// <summary>POSIX ACLs, where the server has them (05 section 1.6).</summary>
    public bool Acl { get; init; } = true;

    /// <summary>Offer checksums of bulk data; the server decides (06).</summary>
    public bool Checksums { get; init; } = true;

    /// <summary>Time the mount may take before it fails; later operations wait for their servers as long as it takes.</summary>
    public TimeSpan MountTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time the goodbyes of an unmount may take together, dirty data included, before it is done without them.</summary>
    public TimeSpan UnmountTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time without a request after which an OST is disconnected until the next one (04 section 10.3).</summary>
    public TimeSpan? OstIdleTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Pause between the loss of a configuration lock and reading the log again, and as much again at random, so that not all clients of a
    /// file system come at once (04 section 8.4).
    /// </summary>
    public TimeSpan ConfigurationDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Locks on metadata kept though nobody uses them; bounds names, attributes and directory pages that are cached.</summary>
    public int MaxMetadataLocks { get; init; } = 20_000;

    private const string DefaultNetwork = "@tcp";

    /// <summary>Locks on file data kept though nobody uses them, for each OST.</summary>
    public int MaxDataLocks { get; init; } = 10_000;

    /// <summary>Age at which an unused lock is given up.</summary>
    public TimeSpan MaxLockAge { get; init; } = TimeSpan.FromSeconds(3900);

    /// <summary>Bytes of file data kept in memory, clean and dirty.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Bytes written but not sent yet, of each OST.</summary>
    public long DirtyBytesPerOst { get; init; } = 32L << 20;

    /// <summary>Bytes read ahead of a sequential reader.</summary>
    public long ReadAheadBytes { get; init; } = 8L << 20;

    /// <summary>Bytes of directory pages cached.</summary>
    public long MaxDirectoryBytes { get; init; } = 64L << 20;

    /// <summary>Attributes fetched ahead at a time while a directory is walked.</summary>
    public int StatAhead { get; init; } = 32;

    /// <summary>Name under which the servers account requests (job statistics), at most 31 characters.</summary>
    public string? JobId { get; init; }

    public ITransport? Transport { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logging { get; init; } = NullLoggerFactory.Instance;

    /// <summary>
    /// Reads <c>10.0.0.1@tcp[,NID][:NID...]:/NAME[/SUB/DIRECTORY]</c>, the device of a mount command. A name may stand for an address; it is
    /// resolved here.
    /// </summary>
    /// <exception cref="FormatException">Says what is wrong with it.</exception>
    public static MountOptions Parse(string device)
    {
        var split = device.IndexOf(":/", StringComparison.Ordinal);
        if (split <= 0)
        {
            throw new FormatException($"'{device}' is not of the form 10.0.0.1@tcp:/NAME");
        }

        var nids = device[..split].Split([',', ':'], StringSplitOptions.RemoveEmptyEntries).SelectMany(ParseNids).ToList();
        var (name, directory) = SplitPath(device[(split + 2)..]);
        return new MountOptions { ManagementNids = nids, FileSystem = CheckName(name), SubDirectory = directory };
    }

    private static (string Name, string Directory) SplitPath(string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (path, "") : (path[..slash], path[slash..].TrimEnd('/'));
    }

    private static IEnumerable<Nid> ParseNids(string text)
    {
        var withNetwork = text.Contains('@', StringComparison.Ordinal) ? text : text + DefaultNetwork;
        if (Nid.TryParse(withNetwork, out var nid) && nid.IsTcp)
        {
            return [nid];
        }

        return withNetwork.EndsWith(DefaultNetwork, StringComparison.Ordinal) && IsName(withNetwork[..^DefaultNetwork.Length])
            ? Resolve(withNetwork[..^DefaultNetwork.Length])
            : throw new FormatException($"'{text}' is not an address such as 10.0.0.1@tcp");
    }

    /// <summary>The name of a machine has a letter in its last part; what has none is an address with a mistake in it.</summary>
    private static bool IsName(string host) =>
        host[(host.LastIndexOf('.') + 1)..].Any(char.IsAsciiLetter) && Uri.CheckHostName(host) == UriHostNameType.Dns;

    private static IEnumerable<Nid> Resolve(string host)
    {
        try
        {
            var addresses = Dns.GetHostAddresses(host, AddressFamily.InterNetwork);
            return addresses.Length > 0
                ? addresses.Select(static address => Nid.FromTcp(address))
                : throw new FormatException($"'{host}' has no IPv4 address");
        }
        catch (SocketException e)
        {
            throw new FormatException($"'{host}' cannot be resolved: {e.Message}", e);
        }
    }

    private static string CheckName(string name) =>
        name.Length is > 0 and <= 8 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? name
            : throw new FormatException($"'{name}' cannot be a file system: names have 1 to 8 letters, digits, '_' or '-'");
}
