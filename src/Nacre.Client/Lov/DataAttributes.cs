using Nacre.Client.Vfs;

namespace Nacre.Client.Lov;

/// <summary>
/// What the objects of a file say. Each time is to be merged with the MDT's by maximum; size and blocks replace the MDT's where
/// <paramref name="HasObjects"/> (06 section 7.1).
/// </summary>
/// <param name="Size">Bytes.</param>
/// <param name="Blocks">Units of 512 bytes.</param>
/// <param name="MayBeCached">Locks hold them as they are until <see cref="IKernelCache.DropAttributesAsync"/>.</param>
internal readonly record struct DataAttributes(
    bool HasObjects, long Size, ulong Blocks, long AccessTime, long ModifyTime, long ChangeTime, bool MayBeCached);
