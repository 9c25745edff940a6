using System.Buffers;
using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>
/// Listings. A cookie is the hash of the next entry to come (05 section 4.4), but for the first three, which stand for <c>.</c>, <c>..</c> and the first
/// entry: those two come from here, since servers give them hashes that mean nothing. Where several entries share a hash, a listing that stops between
/// them comes to them again.
/// </summary>
internal sealed partial class LustreVfs
{
    private const int ReadPageBytes = 1 << 20;
    private const ulong SelfCookie = 0;
    private const ulong ParentCookie = 1;
    private const ulong FirstEntryCookie = 2;
    private const ulong EndCookie = long.MaxValue;

    public ValueTask<Outcome<Opened>> OpenDirectoryAsync(Node directory, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)directory;
        if (!inode.IsDirectory)
        {
            return ValueTask.FromResult<Outcome<Opened>>(new Failure(Errno.ENOTDIR));
        }

        _inodes.Pin(inode);
        inode.AddDirectoryOpen();
        return ValueTask.FromResult<Outcome<Opened>>(new Opened(new OpenDirectory(inode, who), Direct: false, KeepCache: false));
    }

    public async ValueTask<Outcome<Done>> ReadDirectoryAsync(
        OpenNode directory, ulong cookie, bool withEntries, IDirectorySink sink, CancellationToken ct)
    {
        var open = (OpenDirectory)directory;
        using var turn = await open.EnterAsync(ct).ConfigureAwait(false);
        if (cookie <= ParentCookie && !await AddSelfAndParentAsync(open.Inode, cookie, sink, ct).ConfigureAwait(false))
        {
            return default(Done);
        }

        var hash = cookie <= FirstEntryCookie ? 0 : cookie;
        while (hash < EndCookie)
        {
            var read = await GetChunkAsync(open, hash, ct).ConfigureAwait(false);
            if (!read.IsOk)
            {
                return new Failure(read.Errno);
            }

            var chunk = read.Value;
            if (!await AddEntriesAsync(open, chunk, chunk.FirstFrom(hash), withEntries, sink, ct).ConfigureAwait(false))
            {
                break;
            }

            hash = chunk.End;
        }

        return default(Done);
    }

    private async ValueTask<bool> AddSelfAndParentAsync(LustreInode inode, ulong cookie, IDirectorySink sink, CancellationToken ct)
    {
        if (cookie == SelfCookie && !sink.TryAdd("."u8, inode.Inode, FileTypes.Directory, ParentCookie))
        {
            return false;
        }

        var parent = inode == _root ? _root.Fid : default;
        if (parent.IsZero)
        {
            var found = await _mdc.GetFidAsync(inode.Fid, ".."u8.ToArray(), Credentials.Root, ct).ConfigureAwait(false);
            parent = found.IsOk ? found.Value : inode.Fid;
        }

        return sink.TryAdd(".."u8, InodeNumbers.Of(parent), FileTypes.Directory, FirstEntryCookie);
    }

    /// <summary>False when the sink is full.</summary>
    private async ValueTask<bool> AddEntriesAsync(
        OpenDirectory open, DirectoryChunk chunk, int from, bool withEntries, IDirectorySink sink, CancellationToken ct)
    {
        for (var i = from; i < chunk.Count; i++)
        {
            var entry = chunk[i];
            var next = NextCookie(chunk, i);
            if (withEntries)
            {
                open.Ahead.Start(this, open, chunk, i, _options.StatAhead);
                var full = await open.Ahead.TakeAsync(i).ConfigureAwait(false);
                if (full is { IsOk: true, Value.Node: LustreInode inode })
                {
                    if (sink.TryAddEntry(entry.Name.Span, full.Value, next))
                    {
                        continue;
                    }

                    _inodes.Unpin(inode);
                    return false;
                }
            }

            if (!sink.TryAdd(entry.Name.Span, InodeNumbers.Of(entry.Fid), entry.Type, next))
            {
                return false;
            }
        }

        return true;
    }

    private static ulong NextCookie(DirectoryChunk chunk, int index)
    {
        var next = index + 1 < chunk.Count ? chunk.HashOf(index + 1) : chunk.End;
        return next >= EndCookie ? EndCookie : Math.Max(next, FirstEntryCookie + 1);
    }

    private async ValueTask<Outcome<DirectoryChunk>> GetChunkAsync(OpenDirectory open, ulong hash, CancellationToken ct)
    {
        if (_inodes.Pages.Find(open.Inode, hash) is { } cached)
        {
            return cached;
        }

        var held = await HoldUpdateAsync(open.Inode, ct).ConfigureAwait(false);
        if (!held.IsOk)
        {
            return new Failure(held.Errno);
        }

        try
        {
            return await ReadChunkAsync(open.Inode, hash, ct).ConfigureAwait(false);
        }
        finally
        {
            held.Value.End();
        }
    }

    /// <summary>An UPDATE lock on a directory, pinned (05 section 4.1).</summary>
    private async ValueTask<Outcome<LockReference>> HoldUpdateAsync(LustreInode inode, CancellationToken ct)
    {
        try
        {
            var policy = LdlmPolicy.IBits(InodeBits.Update);
            if (_mdc.Target.Locks.TryMatch(inode.Resource, LockType.IBits, LockMode.PR, policy) is { } matched)
            {
                return matched;
            }

            var request = new LockRequest(inode.Resource, LockType.IBits, LockMode.PR, policy) { Flags = LdlmFlags.HasIntent };
            var granted = await _mdc.Target.Locks.EnqueueAsync(request, ct).ConfigureAwait(false);
            inode.Take(granted);
            return granted;
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
        catch (OperationCanceledException)
        {
            return new Failure(Errno.EINTR);
        }
    }

    private async ValueTask<Outcome<DirectoryChunk>> ReadChunkAsync(LustreInode inode, ulong hash, CancellationToken ct)
    {
        var memory = ArrayPool<byte>.Shared.Rent(ReadPageBytes);
        try
        {
            var epoch = inode.PagesEpoch;
            var read = await _mdc.ReadPagesAsync(inode.Fid, hash, memory.AsMemory(0, ReadPageBytes), ct).ConfigureAwait(false);
            if (!read.IsOk)
            {
                return new Failure(read.Errno);
            }

            if (DirectoryChunk.TryParse(memory.AsSpan(0, read.Value).ToArray(), hash) is not { } chunk)
            {
                return new Failure(Errno.EPROTO);
            }

            _inodes.Pages.Add(inode, chunk, epoch);
            return chunk;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(memory);
        }
    }
}
