using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>Space of a store in bytes, and objects.</summary>
/// <param name="Capacity">Configured.</param>
/// <param name="Used">Allocated blocks of all objects.</param>
/// <param name="Free">Capacity less Used, limited by what the backing file system has above its reserve; not below 0.</param>
public readonly record struct ObjectStoreSpace(long Capacity, long Used, long Free, long Objects, long FreeObjects);

/// <summary>Which kind of id owns the blocks in a usage query; the numbers of <c>qc_type</c>.</summary>
public enum OwnerKind { User = 0, Group = 1, Project = 2 }

/// <summary>Bytes allocated to and objects owned by one id.</summary>
public readonly record struct OwnerUsage(long Bytes, long Objects);

/// <summary>
/// The objects of one target. An object that was never written exists as an empty one; the first change makes its file. All
/// errors are <see cref="FsException"/>: ENOENT (destroyed), ENOSPC, EDQUOT, EIO, EFBIG and what the disk says.
/// </summary>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>Largest size of an object in bytes (17592186040320 on ext4).</summary>
    long MaxObjectBytes { get; }

    /// <summary>Grows by one at each opening of the store, durable before the opening returns: high half of transnos.</summary>
    uint Epoch { get; }

    /// <summary>Does not wait for the disk.</summary>
    ObjectStoreSpace Space();

    /// <summary>Asks the backing file system again, however fresh the last answer is.</summary>
    ObjectStoreSpace RefreshSpace();

    /// <summary>Grant shared by all stores of one backing file system.</summary>
    BackingSpace Backing { get; }

    OwnerUsage Usage(OwnerKind kind, uint id);

    /// <summary>The object, kept until disposed; dispose once per call. ENOENT when it was destroyed lately.</summary>
    IStoredObject Open(in LuFid fid);

    bool IsDestroyed(in LuFid fid);

    /// <summary>Removes the object; completes when that is durable. Missing objects succeed.</summary>
    ValueTask DestroyAsync(LuFid fid, CancellationToken ct);

    /// <summary>Makes everything written so far durable.</summary>
    ValueTask SyncAsync(CancellationToken ct);
}
