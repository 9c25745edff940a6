using System.Text;
using Nacre.Client.Vfs;

namespace Nacre.Client.Paths;

/// <summary>Takes a directory in portions.</summary>
internal sealed class ListSink(IVfs vfs) : IDirectorySink
{
    private const int PortionEntries = 512;

    private ulong _next;

    /// <summary>The last portion; empty behind the end.</summary>
    public List<DirectoryItem> Items { get; } = [];

    /// <returns>0, or an errno.</returns>
    public async ValueTask<int> FillAsync(OpenNode directory, CancellationToken ct)
    {
        Items.Clear();
        return (await vfs.ReadDirectoryAsync(directory, _next, withEntries: true, this, ct).ConfigureAwait(false)).Errno;
    }

    public bool TryAdd(ReadOnlySpan<byte> name, ulong inode, uint fileType, ulong next) => TryAdd(name, null, next);

    public bool TryAddEntry(ReadOnlySpan<byte> name, in Entry entry, ulong next)
    {
        if (!TryAdd(name, entry.Attributes, next))
        {
            return false;
        }

        vfs.Forget(entry.Node!, 1);
        return true;
    }

    private bool TryAdd(ReadOnlySpan<byte> name, Attributes? attributes, ulong next)
    {
        if (Items.Count == PortionEntries)
        {
            return false;
        }

        Items.Add(new DirectoryItem(Encoding.UTF8.GetString(name), attributes));
        _next = next;
        return true;
    }
}
