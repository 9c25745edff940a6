using Nacre.Client.Lov;
using Nacre.Client.Mdc;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;

namespace Nacre.Client.Inodes;

/// <summary>
/// Locks on the inode. A lock that arrives is taken over while its reference pins it, together with what it holds, so that a callback that has
/// overtaken the reply finds both and drops both.
/// </summary>
internal sealed partial class LustreInode : ILockOwner
{
    /// <summary>
    /// Takes over what an intent told: attributes, layout, and the lock they are under. The reply stays the caller's. A lock that holds nothing that
    /// is not held already is not taken: its reply's disposal gives it back, as kernel clients do.
    /// </summary>
    public void Take(in IntentReply reply)
    {
        var bits = reply.Lock.IsHeld ? reply.Lock.Lock.Policy.Bits : InodeBits.None;
        FileLayout? layout = null;
        var hasLayout = IsRegular && (bits & InodeBits.Layout) != 0 && TryParse(reply.Layout, out layout);
        FileData? data;
        lock (_gate)
        {
            var isHeld = (bits & AttributeBits) == AttributeBits;
            if (isHeld || !_bodyIsHeld)
            {
                Merge(reply.Body);
                _acl = reply.Acl.ToArray();
                _bodyIsHeld = isHeld;
            }

            if (hasLayout)
            {
                _layout = layout;
            }

            data = _data;
            Add(reply.Lock);
        }

        if (hasLayout)
        {
            data?.SetLayout(layout);
        }

        DropIfGone(reply.Lock);
    }

    /// <summary>Takes over a lock of an enqueue without attributes.</summary>
    public void Take(LockReference granted)
    {
        lock (_gate)
        {
            Add(granted);
        }

        DropIfGone(granted);
    }

    /// <inheritdoc/>
    async ValueTask ILockOwner.OnCancelAsync(ClientLock heldLock, LockLoss reason)
    {
        if (!TryRemove(heldLock, out var lost, out var hadPromised))
        {
            return;
        }

        try
        {
            if ((lost & InodeBits.Layout) != 0)
            {
                await LoseLayoutAsync().ConfigureAwait(false);
            }

            if ((lost & InodeBits.Lookup) != 0)
            {
                await _table.Names.DropNamesOfAsync(this).ConfigureAwait(false);
            }

            if (IsDirectory && (lost & InodeBits.Update) != 0)
            {
                _table.Pages.Drop(this);
                await _table.Names.DropAbsentAsync(this).ConfigureAwait(false);
            }

            if (hadPromised && _table.KernelCache is { } kernel)
            {
                await kernel.DropAttributesAsync(this).ConfigureAwait(false);
            }
        }
        finally
        {
            _table.Unpin(this);
        }
    }

    /// <summary>Metadata locks are never glimpsed but for data on the MDT, which is not asked for.</summary>
    bool ILockOwner.TryGlimpse(ClientLock heldLock, out OstLvb lvb)
    {
        lvb = default;
        return false;
    }

    /// <summary>Called under the gate, with the lock pinned.</summary>
    private void Add(LockReference reference)
    {
        if (!reference.IsHeld || (_bits & reference.Lock.Policy.Bits) == reference.Lock.Policy.Bits)
        {
            return;
        }

        var granted = reference.Lock;
        granted.Owner = this;
        _locks.Add(granted);
        _bits |= granted.Policy.Bits;
        _table.Pin(this);
    }

    /// <summary>
    /// An eviction may have come between the grant and <see cref="Add"/>, and told nobody, as there was no owner yet. It marks the lock before it looks
    /// for the owner, here the owner is set before the mark is looked at: one of the two sees the other.
    /// </summary>
    private void DropIfGone(LockReference reference)
    {
        Interlocked.MemoryBarrier();
        if (reference.IsHeld && reference.Lock.IsGone)
        {
            _ = DropAsync(reference.Lock);
        }
    }

    private async Task DropAsync(ClientLock gone) => await ((ILockOwner)this).OnCancelAsync(gone, LockLoss.Evicted).ConfigureAwait(false);

    /// <param name="lost">Bits no other lock holds.</param>
    /// <param name="hadPromised">The kernel has attributes that are not held any more.</param>
    private bool TryRemove(ClientLock heldLock, out InodeBits lost, out bool hadPromised)
    {
        lock (_gate)
        {
            (lost, hadPromised) = (InodeBits.None, false);
            if (!_locks.Remove(heldLock))
            {
                return false;
            }

            var before = _bits;
            _bits = InodeBits.None;
            foreach (var other in _locks)
            {
                _bits |= other.Policy.Bits;
            }

            lost = before & ~_bits;
            if ((lost & AttributeBits) != 0)
            {
                hadPromised = _attributesPromised;
                _attributesPromised = _bodyIsHeld = false;
            }

            if ((lost & InodeBits.Update) != 0)
            {
                _updateEpoch++;
            }

            if ((lost & InodeBits.Xattr) != 0)
            {
                _xattrs = null;
            }

            return true;
        }
    }
}
