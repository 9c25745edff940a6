namespace Nacre.Fuse;

/// <summary>Whether advisory locks are the file system's or the kernel's own.</summary>
public enum FileLocking
{
    /// <summary>flock and fcntl locks hold on all clients.</summary>
    Shared,

    /// <summary>They hold among the processes of this mount.</summary>
    Local,

    /// <summary>They fail with ENOSYS.</summary>
    None,
}

/// <summary>How a file system is mounted.</summary>
public sealed record FuseOptions
{
    public bool ReadOnly { get; init; }

    /// <summary>Whether others than the one who mounts may use it.</summary>
    public bool AllowOther { get; init; }

    /// <summary>The mount goes when this process is gone, however it ends; needs fusermount3.</summary>
    public bool AutoUnmount { get; init; }

    public FileLocking Locking { get; init; } = FileLocking.Shared;

    /// <summary>Threads that read requests; each runs what need not wait. 0: two for each processor, at most 8.</summary>
    public int MaxThreads { get; init; }

    /// <summary>Bytes of one READ or WRITE: pages of 4 KiB up to 1 MiB.</summary>
    public int MaxTransfer { get; init; } = 1 << 20;

    /// <summary>
    /// Bytes the kernel reads ahead, beyond the client's own read-ahead. From 1 MiB on Linux 6.18 is several times slower than with this
    /// (docs/performance.md).
    /// </summary>
    public int ReadAhead { get; init; } = 512 << 10;

    /// <summary>
    /// Requests under way that no process waits for, those read ahead and write-back. More wait in the kernel, unseen: write-back behind reads, which may wait
    /// for locks of other clients, which may wait for this write-back. So the bound is far above what reading ahead alone makes.
    /// </summary>
    public int MaxBackground { get; init; } = 1024;

    /// <summary>
    /// Nodes the kernel may know before it is asked to give up some: each is state here and in the file system, and the kernel by itself keeps them as long as
    /// it has memory. Those in use are never given up, so they come on top.
    /// </summary>
    public int MaxNodes { get; init; } = 40_000;

    /// <summary>MS_* flags of mount(2), beside the one of <see cref="ReadOnly"/>.</summary>
    public int MountFlags { get; init; }

    /// <summary>Large buffers kept when they are not in use, each of <see cref="MaxTransfer"/> bytes.</summary>
    public int KeptBuffers { get; init; } = 16;

    internal int ReaderThreads => MaxThreads > 0 ? Math.Min(MaxThreads, 64) : Math.Clamp(2 * Environment.ProcessorCount, 2, 8);
}
