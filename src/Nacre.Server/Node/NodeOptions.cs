using Nacre.LNet;

namespace Nacre.Server.Node;

/// <summary>How a node is started.</summary>
public sealed record NodeOptions
{
    /// <summary>Everything the node keeps is below this folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The address clients mount, on network tcp.</summary>
    public required Nid Nid { get; init; }

    /// <summary>TCP port of LNet. Kernel clients dial 988 and no other (01 section 3.1).</summary>
    public int LNetPort { get; init; } = LNetOptions.DefaultPort;

    /// <summary>Whether callers with a source port above 1023, which any user can have, are served.</summary>
    public bool AcceptUnprivilegedPorts { get; init; } = true;

    /// <summary>File systems to make where the data folder does not hold them yet.</summary>
    public IReadOnlyList<FileSystemSpec> FileSystems { get; init; } = [];

    /// <summary>Bytes kept back in the data folder for the moment when its disk is full; at most an eighth of the disk, 0 for none.</summary>
    public long ReserveBytes { get; init; } = Storage.SpaceReserve.DefaultBytes;

    /// <summary>Memory for file data on its way, bytes. Requests wait for it, so clients cannot make the node use more.</summary>
    public long BulkMemoryBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Files and sockets this process may have open (RLIMIT_NOFILE). Half of them are for objects, divided among the OSTs; the rest
    /// is for connections, of which a client has three or more, and for what the node itself needs.
    /// </summary>
    public int FileDescriptors { get; init; } = 8192;

    /// <summary>Fewer make no sense.</summary>
    public const int MinFileDescriptors = 1024;
}
