namespace Nacre.Client.Vfs;

/// <summary>
/// What the kernel above caches because an <see cref="IVfs"/> said it may. Called when the lock behind such a promise is called back; the lock
/// is given up when the returned task has completed.
/// <para>An implementation must not wait for an operation that is under way in the file system, since that may itself wait for the lock: where the
/// kernel would, the drop goes on in the background, and the promise of the operation under way is not renewed.</para>
/// </summary>
public interface IKernelCache
{
    ValueTask DropAttributesAsync(Node node);

    /// <summary>
    /// Bytes of a file. Pages made dirty through a mapping come back as <see cref="IVfs.WriteAsync"/> with
    /// <see cref="WriteOptions.FromPageCache"/> before it completes.
    /// </summary>
    /// <param name="length">Bytes; <see cref="long.MaxValue"/> for all behind <paramref name="offset"/>.</param>
    ValueTask DropDataAsync(Node node, long offset, long length);

    /// <summary>One name, whether it was there or not.</summary>
    ValueTask DropNameAsync(Node directory, ReadOnlyMemory<byte> name);
}
