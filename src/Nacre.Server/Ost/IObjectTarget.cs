using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

/// <summary>Space of one object target. All sizes in bytes.</summary>
/// <param name="Total">Configured capacity.</param>
/// <param name="Free">Capacity that is not used, whether or not the backing file system has it.</param>
/// <param name="Available">What can still be written: as much of Free as the backing file system has, less what clients hold as dirty data.</param>
/// <param name="Objects">Objects stored.</param>
/// <param name="FreeObjects">Objects that can still be created.</param>
public readonly record struct ObjectTargetSpace(long Total, long Free, long Available, long Objects, long FreeObjects);

/// <summary>
/// What an MDT asks of an object target. In process while both are on one node; the same operations are OST_STATFS and
/// OST_DESTROY RPCs when they are not.
/// </summary>
public interface IObjectTarget
{
    int Index { get; }
    string Uuid { get; }
    bool Active { get; }

    /// <summary>Never waits for the disk; the figures of the backing file system are at most a second old.</summary>
    ObjectTargetSpace Space();

    /// <summary>
    /// Deletes the object: takes PW [0, EOF] with the discard flag, so that clients drop what they cache of it, then removes
    /// it. Completes when the removal survives a power cut; a missing object is a success. Call it for many objects at once:
    /// their removals share one flush. Throws <see cref="FsException"/> (EIO, or what the file system said).
    /// </summary>
    ValueTask DestroyAsync(LuFid objectFid, CancellationToken ct);

    /// <summary>
    /// Makes an object that no client knows yet so long, bytes; one that is longer stays. Survives a killed server when it
    /// completes. Throws <see cref="FsException"/>: EFBIG, ENOSPC, EIO.
    /// </summary>
    ValueTask SetSizeAsync(LuFid objectFid, ulong size, CancellationToken ct);
}

/// <summary>
/// Tells which object ids were ever handed out, so that nobody can create an object the MDT will name later. Without one a
/// target accepts every id in its own sequences.
/// </summary>
public interface IObjectAllocations
{
    /// <summary>Called on the I/O path: must not block.</summary>
    bool WasAllocated(in LuFid objectFid);
}
