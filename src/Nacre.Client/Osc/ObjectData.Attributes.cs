using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;

namespace Nacre.Client.Osc;

/// <summary>Attributes of an object. Times are seconds, <paramref name="Blocks"/> units of 512 bytes.</summary>
internal readonly record struct ObjectAttributes(long Size, ulong Blocks, long AccessTime, long ModifyTime, long ChangeTime, bool IsLocked);

/// <summary>Size and times: what came with locks, and what this client did under them (06 section 7.3).</summary>
internal sealed partial class ObjectData
{
    /// <summary>Known minimum size: the object is at least this large, and exactly so as far as locks reach.</summary>
    private long _kms;
    private ulong _blocks512;
    private long _atime;
    private long _mtime;
    private long _ctime;

    /// <summary>Known minimum size, bytes.</summary>
    public long KnownSize
    {
        get
        {
            lock (_gate)
            {
                return _kms;
            }
        }
    }

    /// <summary>What is known without asking, if a lock to the end of the object is held.</summary>
    public bool TryGetAttributes(out ObjectAttributes attributes)
    {
        if (Target.Locks.TryMatch(Resource, LockType.Extent, LockMode.PR, WholeObject) is not { } held)
        {
            attributes = default;
            return false;
        }

        using (held)
        {
            attributes = Current(isLocked: true);
            return true;
        }
    }

    /// <summary>By a lock, or by glimpse.</summary>
    /// <exception cref="PtlRpc.ErrnoException">The OST refused or could not be asked.</exception>
    public async ValueTask<ObjectAttributes> GetAttributesAsync(CancellationToken ct)
    {
        if (TryGetAttributes(out var known))
        {
            return known;
        }

        var (reference, lvb) = await Target.Locks.GlimpseAsync(
            new LockRequest(Resource, LockType.Extent, LockMode.PR, WholeObject, this), ct).ConfigureAwait(false);
        if (lvb.Error != 0)
        {
            reference.Dispose();
            throw new PtlRpc.RpcException(-lvb.Error);
        }

        if (!reference.IsHeld)
        {
            return Merge(lvb);
        }

        using (reference)
        {
            return Current(isLocked: true);
        }
    }

    /// <summary>A write or truncation was answered with the object's blocks.</summary>
    public void OnWritten(ulong blocks)
    {
        lock (_gate)
        {
            _blocks512 = blocks;
        }
    }

    /// <summary>Times were set at the server; null leaves one.</summary>
    public void SetTimes(long? accessTime, long? modifyTime, long changeTime)
    {
        lock (_gate)
        {
            _atime = accessTime ?? _atime;
            _mtime = modifyTime ?? _mtime;
            _ctime = changeTime;
        }
    }

    /// <summary>Pages behind a size go, and the rest of the last becomes zero. The caller holds a lock on all of it.</summary>
    public void CutTo(long size)
    {
        lock (_gate)
        {
            foreach (var block in BlocksIn((ulong)size, LdlmPolicy.EndOfFile))
            {
                CutBlock(block, size);
            }

            _kms = Math.Min(_kms, size);
        }
    }

    /// <summary>The size was changed at the server, under a lock to the end.</summary>
    public void SetSize(long size)
    {
        lock (_gate)
        {
            _kms = size;
        }
    }

    /// <summary>The object was made longer by fallocate.</summary>
    public void RaiseSize(long size)
    {
        lock (_gate)
        {
            _kms = Math.Max(_kms, size);
        }
    }

    private static LdlmPolicy WholeObject => LdlmPolicy.Extent(0, LdlmPolicy.EndOfFile);

    /// <summary>Takes over what came with a grant.</summary>
    private void TakeGrant(ClientLock granted)
    {
        var lvb = granted.Lvb;
        if (lvb.Error != 0)
        {
            return;
        }

        lock (_gate)
        {
            var end = granted.Policy.End == LdlmPolicy.EndOfFile ? long.MaxValue : (long)Math.Min(granted.Policy.End, long.MaxValue - 1) + 1;
            _kms = Math.Max(_kms, Math.Min((long)Math.Min(lvb.ObjectSize, long.MaxValue), end));
            _blocks512 = lvb.Blocks;
            var dirty = HasDirty;
            _atime = dirty ? Math.Max(_atime, lvb.ATime) : lvb.ATime;
            _mtime = dirty ? Math.Max(_mtime, lvb.MTime) : lvb.MTime;
            _ctime = dirty ? Math.Max(_ctime, lvb.CTime) : lvb.CTime;
        }
    }

    private ObjectAttributes Current(bool isLocked)
    {
        lock (_gate)
        {
            return new ObjectAttributes(_kms, Math.Max(_blocks512, _kms > 0 ? 1UL : 0), _atime, _mtime, _ctime, isLocked);
        }
    }

    /// <summary>Without a lock what is remembered of the times is of the past, unless something newer is still to be written.</summary>
    private ObjectAttributes Merge(in OstLvb lvb)
    {
        lock (_gate)
        {
            var dirty = HasDirty;
            return new ObjectAttributes(
                Math.Max(_kms, (long)Math.Min(lvb.ObjectSize, long.MaxValue)), Math.Max(lvb.Blocks, dirty ? 1UL : 0),
                dirty ? Math.Max(_atime, lvb.ATime) : lvb.ATime, dirty ? Math.Max(_mtime, lvb.MTime) : lvb.MTime,
                dirty ? Math.Max(_ctime, lvb.CTime) : lvb.CTime, IsLocked: false);
        }
    }

    /// <summary>Bytes up to <paramref name="end"/> were written. Called under the gate.</summary>
    private void Written(long end)
    {
        _kms = Math.Max(_kms, end);
        _mtime = _ctime = Target.Time.GetUtcNow().ToUnixTimeSeconds();
    }

    private void CutBlock(Block block, long size)
    {
        var first = size <= block.Start ? 0 : (int)((size - block.Start + Block.PageSize - 1) >> Block.PageShift);
        DropPages(block, first, Block.Pages - first);
        var tail = (int)((size - block.Start) & (Block.PageSize - 1));
        if (size > block.Start && tail != 0 && block.Valid[first - 1])
        {
            block.Span(((first - 1) << Block.PageShift) + tail, Block.PageSize - tail).Clear();
        }

        RemoveIfEmpty(block);
    }
}
