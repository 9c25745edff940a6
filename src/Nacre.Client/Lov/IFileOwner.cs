using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>What the bytes of a file need from its inode.</summary>
internal interface IFileOwner
{
    LuFid Fid { get; }

    Node Node { get; }

    IKernelCache? KernelCache { get; }

    /// <summary>Owner ids, sent with writes so that the objects are charged to them (06 section 7.2).</summary>
    (uint Uid, uint Gid, uint ProjectId) Owner { get; }

    /// <summary>
    /// The present layout, under a layout lock where the server gives one. With <paramref name="forWrite"/> the components that hold
    /// [offset, offset + length) have their objects then (an IT_LAYOUT write intent); a released file is restored first, for reads too. Ends in
    /// <see cref="FileData.SetLayout"/> before it returns.
    /// </summary>
    /// <param name="length">Bytes; <see cref="long.MaxValue"/> for all behind the offset.</param>
    /// <returns>The layout, or null for a file that has none yet.</returns>
    ValueTask<Outcome<FileLayout?>> RefreshLayoutAsync(bool forWrite, long offset, long length, CancellationToken ct);
}
