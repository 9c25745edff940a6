using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>The file system's numbers, kept for a second as kernel clients do (04 section 15).</summary>
internal sealed class StatusCache(TimeProvider time, Func<CancellationToken, ValueTask<Outcome<FileSystemStatus>>> fetch)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private FileSystemStatus _last;
    private long? _at;

    public async ValueTask<Outcome<FileSystemStatus>> GetAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            if (_at is { } at && time.GetElapsedTime(at) < MaxAge)
            {
                return _last;
            }
        }

        var fetched = await fetch(ct).ConfigureAwait(false);
        if (fetched.IsOk)
        {
            lock (_gate)
            {
                (_last, _at) = (fetched.Value, time.GetTimestamp());
            }
        }

        return fetched;
    }

    /// <summary>Space is the objects', names are the metadata's; files beyond the objects there is room for do not count (05 section 3.2).</summary>
    /// <param name="objects">Null when the metadata target has summed up.</param>
    public static FileSystemStatus Combine(in ObdStatfs metadata, ObdStatfs? objects)
    {
        var space = objects ?? metadata;
        var (files, free) = (metadata.Files, metadata.FilesFree);
        if (objects is { } counted && counted.FilesFree < free)
        {
            (files, free) = (files - free + counted.FilesFree, counted.FilesFree);
        }

        return new FileSystemStatus
        {
            BlockSize = space.BlockSize,
            Blocks = space.Blocks,
            FreeBlocks = space.BlocksFree,
            AvailableBlocks = space.BlocksAvailable,
            Files = files,
            FreeFiles = free,
            NameLength = Math.Min(metadata.NameLength, 255),
        };
    }
}
