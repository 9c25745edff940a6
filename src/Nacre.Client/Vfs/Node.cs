namespace Nacre.Client.Vfs;

/// <summary>
/// A file, directory or other inode of a file system in use. There is one object for an inode as long as anybody holds it: what
/// hands one out adds a reference that <see cref="IVfs.Forget"/> takes away.
/// </summary>
public abstract class Node
{
    /// <summary>Number shown as <c>st_ino</c>, unique in the file system.</summary>
    public abstract ulong Inode { get; }

    /// <summary>S_IFMT bits of the mode; never changes.</summary>
    public abstract uint FileType { get; }

    /// <summary>Belongs to the layer above (its table index).</summary>
    public object? Tag { get; set; }
}

/// <summary>An open file or directory: the file description, not the descriptor.</summary>
public abstract class OpenNode
{
    public abstract Node Node { get; }
}

/// <summary>A name that was looked up or made.</summary>
/// <param name="Node">Null for a name that does not exist but whose absence may be cached.</param>
/// <param name="NameMayBeCached">The name stays so until <see cref="IKernelCache"/> is told otherwise.</param>
/// <param name="AttributesMayBeCached">The attributes stay so until <see cref="IKernelCache"/> is told otherwise.</param>
public readonly record struct Entry(Node? Node, Attributes Attributes, bool NameMayBeCached, bool AttributesMayBeCached);

/// <param name="MayBeCached">They stay so until <see cref="IKernelCache"/> is told otherwise.</param>
public readonly record struct CurrentAttributes(Attributes Attributes, bool MayBeCached);

/// <summary>How the layer above should treat an open file.</summary>
/// <param name="Direct">Reads and writes bypass the kernel's page cache (O_DIRECT, O_APPEND).</param>
/// <param name="KeepCache">Pages cached from an earlier open are still right.</param>
public readonly record struct Opened(OpenNode File, bool Direct, bool KeepCache);

public readonly record struct Created(Entry Entry, Opened Opened);
