using System.Diagnostics.CodeAnalysis;
using Nacre.Client.Inodes;
using Nacre.Client.Lov;
using Nacre.Client.Vfs;

namespace Nacre.Client.Files;

/// <summary>An open regular file: the server's handle of the open, and what its reads and writes keep.</summary>
/// <param name="handle">The server's; 0 when the server keeps none.</param>
/// <param name="evictions">Number of evictions when it was opened: after another one the handle means nothing.</param>
internal sealed class OpenFile(LustreInode inode, ulong handle, int flags, int evictions, Credentials who, FileData data, OpenData state) : OpenNode
{
    public override Node Node => inode;

    public LustreInode Inode => inode;

    public ulong Handle { get; } = handle;

    /// <summary>O_* of Linux.</summary>
    public int Flags { get; } = flags;

    public int Evictions { get; } = evictions;

    /// <summary>Who opened it.</summary>
    public Credentials Who { get; } = who;

    public FileData Data { get; } = data;

    public OpenData State { get; } = state;

    /// <summary>A read since the open or the last close has been noted in the time of the last access.</summary>
    public bool HasNotedRead { get; set; }

    public bool IsReadable => (Flags & OpenFlags.AccessMode) != OpenFlags.WriteOnly;

    public bool IsWritable => (Flags & OpenFlags.AccessMode) != OpenFlags.ReadOnly;
}

/// <summary>An open directory. Nothing of it is known to the server: listings are by hash.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is not asked for holds nothing to release.")]
internal sealed class OpenDirectory(LustreInode inode, Credentials who) : OpenNode
{
    private readonly SemaphoreSlim _turn = new(1);

    public override Node Node => inode;

    public LustreInode Inode => inode;

    /// <summary>Who opened it.</summary>
    public Credentials Who { get; } = who;

    /// <summary>Belongs to whom <see cref="EnterAsync"/> has let in.</summary>
    public StatAhead Ahead { get; } = new();

    /// <summary>One reader at a time, as a position can only move on for one.</summary>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        return new Turn(_turn);
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}

/// <summary>O_* of Linux x86-64.</summary>
internal static class OpenFlags
{
    public const int AccessMode = 3;
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int DataSync = 0x1000;
    public const int Direct = 0x4000;
    public const int Directory = 0x10000;
    public const int NoAccessTime = 0x40000;
    public const int Execute = 0x20;
}
