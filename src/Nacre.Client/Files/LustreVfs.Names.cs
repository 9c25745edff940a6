using System.Runtime.CompilerServices;
using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Looking names up.</summary>
internal sealed partial class LustreVfs
{
    public ValueTask<Outcome<Entry>> LookupAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        LookupAsync((LustreInode)directory, name, who, ct);

    public async ValueTask<Outcome<Entry>> LookupParentAsync(Node directory, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)directory;
        if (inode == _root)
        {
            _inodes.Pin(_root);
            return await MakeEntryAsync(_root, nameMayBeCached: false, ct).ConfigureAwait(false);
        }

        var parent = await _mdc.GetFidAsync(inode.Fid, ".."u8.ToArray(), who, ct).ConfigureAwait(false);
        if (!parent.IsOk)
        {
            return new Failure(parent.Errno);
        }

        var found = _inodes.Get(parent.Value, FileTypes.Directory);
        return found is null
            ? new Failure(Errno.ESTALE)
            : await MakeEntryAsync(found, nameMayBeCached: false, ct).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<Entry>> LookupAsync(LustreInode directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        if (CheckName(name) is var bad and not 0)
        {
            return new Failure(bad);
        }

        if (_inodes.Names.TryGet(directory, name.Span, promise: true, out var child))
        {
            return child is null ? new Entry(null, default, true, false) : await MakeEntryAsync(child, true, ct).ConfigureAwait(false);
        }

        var epoch = directory.NamesEpoch;
        var answered = await RetryAsync(
            static (mdc, asked, ct) => mdc.GetByNameAsync(asked.Directory.Fid, asked.Name, asked.Who, asked.Directory.Group, ct),
            (Directory: directory, Name: name, Who: who), ct).ConfigureAwait(false);
        if (answered.Errno == Errno.ENOENT)
        {
            return _inodes.Names.TryAddAbsent(directory, name.Span, epoch, promise: true)
                ? new Entry(null, default, true, false)
                : new Failure(Errno.ENOENT);
        }

        return answered.IsOk
            ? await TakeEntryAsync(directory, name, answered.Value, ct).ConfigureAwait(false)
            : new Failure(answered.Errno);
    }

    /// <summary>Makes an entry of a lookup's answer, which it disposes.</summary>
    private async ValueTask<Outcome<Entry>> TakeEntryAsync(LustreInode directory, ReadOnlyMemory<byte> name, IntentReply answer, CancellationToken ct)
    {
        Outcome<LustreInode> taken;
        bool mayBeCached;
        using (answer)
        {
            taken = TakeAnswer(answer);
            mayBeCached = taken.IsOk && _inodes.Names.TryAdd(directory, name.Span, taken.Value, promise: true);
        }

        return taken.IsOk ? await MakeEntryAsync(taken.Value, mayBeCached, ct).ConfigureAwait(false) : new Failure(taken.Errno);
    }

    /// <summary>
    /// Asks once more when the server has forgotten this client meanwhile: a question that changes nothing may be repeated, and programs need not know.
    /// </summary>
    private async ValueTask<Outcome<IntentReply>> RetryAsync<T>(
        Func<MetadataClient, T, CancellationToken, ValueTask<Outcome<IntentReply>>> ask, T argument, CancellationToken ct)
    {
        var evictions = _mdc.Target.Evictions;
        var answered = await ask(_mdc, argument, ct).ConfigureAwait(false);
        return answered.Errno == Errno.EIO && _mdc.Target.Evictions != evictions
            ? await ask(_mdc, argument, ct).ConfigureAwait(false)
            : answered;
    }
}
