namespace Nacre.Client.Vfs;

/// <summary>Takes the entries of a directory as they are read, "." and ".." (by <see cref="TryAdd"/>) among them.</summary>
public interface IDirectorySink
{
    /// <summary>False when there is no room: the entry was not taken, and the listing ends before it.</summary>
    /// <param name="next">Cookie at which the listing goes on after this entry, below 2^63.</param>
    /// <param name="fileType">S_IFMT bits, 0 when not known.</param>
    bool TryAdd(ReadOnlySpan<byte> name, ulong inode, uint fileType, ulong next);

    /// <summary>As <see cref="TryAdd"/>, with what a lookup of the name would give; the reference is the taker's only on true.</summary>
    bool TryAddEntry(ReadOnlySpan<byte> name, in Entry entry, ulong next);
}
