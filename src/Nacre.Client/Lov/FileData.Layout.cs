using Nacre.Client.Osc;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>Layout and objects of a file, and who uses them at the moment.</summary>
internal sealed partial class FileData
{
    /// <summary>Times a layout that is not good enough is asked for again before giving up.</summary>
    private const int MaxRefreshes = 8;

    /// <summary>Guards what follows.</summary>
    private readonly Lock _layoutGate = new();
    private readonly Dictionary<LuFid, ObjectData> _objects = [];
    private StripedFile? _striped;

    /// <summary>The layout that was lost last, and may still be the present one.</summary>
    private StripedFile? _lost;
    private int _users;
    private TaskCompletionSource? _idle;

    /// <summary>Takes the layout over; null: unknown, the next operation asks the owner. What is cached of objects both layouts name stays.</summary>
    public void SetLayout(FileLayout? layout)
    {
        List<ObjectData>? gone = null;
        lock (_layoutGate)
        {
            if (layout is null)
            {
                _striped = null;
                return;
            }

            if (_striped is { } present && present.Layout.Generation == layout.Generation && present.Layout.Raw == layout.Raw)
            {
                return;
            }

            _striped = Build(layout);
            _lost = null;
            var named = layout.Raw.Objects().Select(entry => entry.Object).ToHashSet();
            foreach (var (fid, data) in _objects)
            {
                if (!named.Contains(fid))
                {
                    (gone ??= []).Add(data);
                }
            }

            foreach (var data in gone ?? [])
            {
                _objects.Remove(data.Fid);
            }
        }

        foreach (var data in gone ?? [])
        {
            _ = data.CloseAsync().AsTask();
        }
    }

    /// <summary>The layout lock is called back: ends I/O under way, flushes, forgets the layout. Then the lock may go.</summary>
    public async ValueTask LoseLayoutAsync()
    {
        Task idle;
        StripedFile? lost;
        lock (_layoutGate)
        {
            lost = _striped;
            _lost = _striped ?? _lost;
            _striped = null;
            if (_users > 0)
            {
                _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            idle = _idle?.Task ?? Task.CompletedTask;
        }

        await idle.ConfigureAwait(false);
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await DropHolesAsync(lost).ConfigureAwait(false);
    }

    /// <summary>What the kernel has of components without objects, zeros, is under no lock but that of the layout.</summary>
    private async ValueTask DropHolesAsync(StripedFile? lost)
    {
        if (lost is null || _owner.KernelCache is not { } kernel)
        {
            return;
        }

        foreach (var component in lost.Layout.Components.ToArray().Where(static component => !component.HasObjects))
        {
            var length = component.End == long.MaxValue ? long.MaxValue : component.End - component.Start;
            await kernel.DropDataAsync(_owner.Node, component.Start, length).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The layout to work with, counted until <see cref="Leave"/>. Null, and not counted, for a file without any. While it is asked for, nothing is counted:
    /// the answer may depend on the layout lock, which waits for those who are.
    /// </summary>
    /// <exception cref="ErrnoException">The owner could not get one.</exception>
    private ValueTask<StripedFile?> EnterAsync(bool forWrite, long start, long end, CancellationToken ct)
    {
        lock (_layoutGate)
        {
            if (_striped is { UnknownTargets.Count: 0 } present && IsGoodEnough(present.Layout, forWrite, start, end))
            {
                _users++;
                return ValueTask.FromResult<StripedFile?>(present);
            }
        }

        return EnterSlowlyAsync(forWrite, start, end, ct);
    }

    /// <summary>
    /// The layout for the write-back of pages that a mapping has changed, counted; null when none is known that has their objects. A lost one will do: the locks
    /// on its objects are held still, and what is dirty under them goes to these objects. Asking for the new one could wait for whoever waits for those locks.
    /// </summary>
    private StripedFile? TryEnterForWriteBack(long start, long end)
    {
        lock (_layoutGate)
        {
            if ((_striped ?? _lost) is not { } known || !IsGoodEnough(known.Layout, forWrite: true, start, end))
            {
                return null;
            }

            _users++;
            return known;
        }
    }

    private async ValueTask<StripedFile?> EnterSlowlyAsync(bool forWrite, long start, long end, CancellationToken ct)
    {
        var hasWaited = false;
        for (var attempt = 0; attempt < MaxRefreshes; attempt++)
        {
            bool known;
            StripedFile? incomplete = null;
            lock (_layoutGate)
            {
                if (_striped is { } present && IsGoodEnough(present.Layout, forWrite, start, end))
                {
                    if (present.UnknownTargets.Count == 0 || hasWaited)
                    {
                        _users++;
                        return present;
                    }

                    incomplete = present;
                }

                known = _striped is not null;
            }

            if (incomplete is not null)
            {
                // A file system that grows: the servers use the new OST already, and its configuration is on its way here.
                hasWaited = true;
                await _client.WhenKnownAsync(incomplete.UnknownTargets, ct).ConfigureAwait(false);
                Rebuild(incomplete);
                continue;
            }

            // The first question is only what there is; objects are asked for when that does not have them.
            var refreshed = await _owner.RefreshLayoutAsync(
                forWrite && (known || attempt > 0), start, end == long.MaxValue ? long.MaxValue : end - start, ct).ConfigureAwait(false);
            if (!refreshed.IsOk)
            {
                throw new ErrnoException(refreshed.Errno);
            }

            // The owner has set it, and may have lost it again: only what is set under the layout lock counts.
            if (refreshed.Value is null)
            {
                if (forWrite && attempt == 0)
                {
                    continue;
                }

                return forWrite ? throw new ErrnoException(Errno.EBADF, "a file without layout cannot be written") : null;
            }
        }

        throw new ErrnoException(Errno.EIO, "the layout keeps changing, or never gets its objects");
    }

    private static bool IsGoodEnough(FileLayout layout, bool forWrite, long start, long end) =>
        !layout.IsReleased && !(forWrite && layout.NeedsObjects(start, end));

    private void Leave()
    {
        lock (_layoutGate)
        {
            if (--_users == 0)
            {
                _idle?.TrySetResult();
                _idle = null;
            }
        }
    }

    /// <summary>With the OSTs that are known by now, unless there is another layout meanwhile.</summary>
    private void Rebuild(StripedFile incomplete)
    {
        lock (_layoutGate)
        {
            if (_striped == incomplete)
            {
                _striped = Build(incomplete.Layout);
            }
        }
    }

    private StripedFile Build(FileLayout layout)
    {
        var objects = new ObjectData?[layout.Components.Length][];
        foreach (var component in layout.Components)
        {
            objects[component.Index] = component.HasObjects ? new ObjectData?[component.StripeCount] : [];
            for (var stripe = 0; stripe < objects[component.Index].Length; stripe++)
            {
                objects[component.Index][stripe] = FindObject(component, stripe);
            }
        }

        return new StripedFile(layout, objects);
    }

    private ObjectData? FindObject(Component component, int stripe)
    {
        var entry = component.Objects[stripe];
        if (!_objects.TryGetValue(entry.Object, out var data))
        {
            if (_client.FindTarget((int)entry.OstIndex) is not { } target)
            {
                return null;
            }

            data = new ObjectData(target, entry.Object, this);
            _objects.Add(entry.Object, data);
        }

        data.Place = new ObjectPlace(component, stripe);
        return data;
    }

    private ObjectData[] KnownObjects()
    {
        lock (_layoutGate)
        {
            return [.. _objects.Values];
        }
    }
}
