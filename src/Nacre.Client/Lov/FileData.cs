using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>
/// The bytes of one regular file in use: layout, objects, what is cached of them. One per file, as long as its inode is in memory. Parts: reading
/// (Read), writing (Write), size and attributes (Attributes), truncation and holes (Space), layout (Layout).
/// <para>
/// Operations that need several objects' locks take them in the order of components and stripes, so that two clients never wait for each other.
/// </para>
/// </summary>
internal sealed partial class FileData : IObjectOwner
{
    private readonly DataClient _client;
    private readonly IFileOwner _owner;

    /// <summary>Open files through which the kernel may map the file writable.</summary>
    private int _mappable;

    /// <summary>1 when the kernel may have pages from reads under PR locks.</summary>
    private int _readShared;
    private int _modified;
    private int _errorCount;
    private int _lastError;

    public FileData(DataClient client, IFileOwner owner)
    {
        _client = client;
        _owner = owner;
    }

    /// <summary>True when something was written, truncated or punched here since the last call: what a close tells the MDT.</summary>
    public bool TakeModified() => Interlocked.Exchange(ref _modified, 0) != 0;

    /// <summary>
    /// What an open file needs; to be given back to <see cref="Close"/>. With <paramref name="mayBeMappedWritable"/> all reads take PW locks until then,
    /// also those of other open files: the kernel keeps one copy of a page, and lets a mapping write to it without asking.
    /// </summary>
    /// <param name="isReadShared">The kernel may have pages that were read under PR locks, and has to drop them before it maps the file.</param>
    public OpenData Open(bool mayBeMappedWritable, out bool isReadShared)
    {
        isReadShared = false;
        if (mayBeMappedWritable)
        {
            Interlocked.Increment(ref _mappable);
            isReadShared = Interlocked.Exchange(ref _readShared, 0) != 0;
        }

        return new OpenData(mayBeMappedWritable, Volatile.Read(ref _errorCount));
    }

    /// <summary>The open file is gone, and with it what was mapped through it.</summary>
    public void Close(OpenData file)
    {
        if (file.MayBeMappedWritable)
        {
            Interlocked.Decrement(ref _mappable);
        }
    }

    /// <summary>Writes everything back and has the OSTs put it on stable storage; tells of lost writes, once per open file.</summary>
    public async ValueTask<Outcome<Done>> SyncAsync(OpenData? file, CancellationToken ct)
    {
        try
        {
            await FlushAsync(ct).ConfigureAwait(false);
            await SyncObjectsAsync(ct).ConfigureAwait(false);
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }

        return file is not null && TakeErrors(file) is var errno and not 0 ? new Failure(errno) : default(Done);
    }

    /// <summary>Writes everything back that is dirty now, and waits for the answers.</summary>
    public Task FlushAsync(CancellationToken ct)
    {
        List<Task>? flushes = null;
        foreach (var one in KnownObjects())
        {
            if (one.HasDirty)
            {
                (flushes ??= []).Add(one.FlushAsync(0, LdlmEnd, ct).AsTask());
            }
        }

        return flushes is null ? Task.CompletedTask : Task.WhenAll(flushes);
    }

    /// <summary>A descriptor is closed: the error of write-back this open file has not been told of, positive, or 0. Does not write.</summary>
    public int TakeErrors(OpenData file)
    {
        var count = Volatile.Read(ref _errorCount);
        if (file.ErrorsSeen == count)
        {
            return 0;
        }

        file.ErrorsSeen = count;
        return Volatile.Read(ref _lastError);
    }

    /// <summary>The inode leaves memory, or the mount ends: writes back, gives locks up, frees pages.</summary>
    public async ValueTask CloseAsync()
    {
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await Task.WhenAll(KnownObjects().Select(one => one.CloseAsync().AsTask())).ConfigureAwait(false);
    }

    void IObjectOwner.FillIdentity(ObjectData about, ref Obdo obdo)
    {
        var fid = _owner.Fid;
        (obdo.ParentSeq, obdo.ParentOid, obdo.ParentVer) = (fid.Sequence, fid.ObjectId, fid.Version);
        if (about.Place is ObjectPlace place)
        {
            obdo.StripeIndex = (uint)place.Stripe;
            obdo.Layout = place.Component.Wire;
        }
    }

    void IObjectOwner.FillOwner(ref Obdo obdo) => (obdo.Uid, obdo.Gid, obdo.ProjectId) = _owner.Owner;

    void IObjectOwner.OnLost(int errno)
    {
        Volatile.Write(ref _lastError, errno);
        Interlocked.Increment(ref _errorCount);
    }

    async ValueTask IObjectOwner.DropKernelCacheAsync(ObjectData about, ulong start, ulong end)
    {
        if (_owner.KernelCache is not { } kernel)
        {
            return;
        }

        await kernel.DropAttributesAsync(_owner.Node).ConfigureAwait(false);
        var (offset, length) = FileRange(about, start, end);
        if (length > 0)
        {
            await kernel.DropDataAsync(_owner.Node, offset, length).ConfigureAwait(false);
        }
    }

    private const ulong LdlmEnd = Ldlm.Wire.LdlmPolicy.EndOfFile;

    /// <summary>A range of the file that holds an object's range (end inclusive), and with it parts of other objects.</summary>
    private static (long Offset, long Length) FileRange(ObjectData about, ulong start, ulong end)
    {
        if (about.Place is not ObjectPlace place)
        {
            return (0, long.MaxValue);
        }

        var component = place.Component;
        var from = Math.Max(component.Start, component.FileOffset(place.Stripe, (long)Math.Min(start, long.MaxValue)));
        var last = end >= long.MaxValue ? long.MaxValue : component.FileOffset(place.Stripe, (long)end);
        var to = last == long.MaxValue ? component.End : Math.Min(component.End, last + 1);
        return (from, to == long.MaxValue ? long.MaxValue : to - from);
    }

    private static ErrnoException NoSuchTarget() => new(Errno.ENODEV, "the layout names an OST that the mount does not know");
}
