using Microsoft.Extensions.Logging;
using Nacre.Client.Cache;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>
/// Dirty data of one OST, from the writer to the server (06 section 9.3). A bound on dirty bytes makes writers wait; whole blocks are sent as
/// soon as there is a slot, others when they are old, when somebody asks, or when writers wait.
/// </summary>
internal sealed partial class ObjectTarget
{
    /// <summary>Guards what follows. Inside of it an object's gate must not be taken.</summary>
    private readonly Lock _writeGate = new();

    /// <summary>Blocks to be sent, those somebody waits for before the others.</summary>
    private readonly LinkedList<Block> _ready = new();
    private readonly Queue<TaskCompletionSource> _writers = new();
    private readonly HashSet<ObjectData> _dirtyObjects = [];
    private long _dirtyBytes;
    private int _sending;

    /// <summary>Bytes written and not answered by the server yet.</summary>
    public long DirtyBytes => Interlocked.Read(ref _dirtyBytes);

    /// <summary>
    /// Room for data about to become dirty: waits while there is too much of it.
    /// </summary>
    /// <returns>False when the server promises no space for it: it has to be written at once, without grant.</returns>
    public ValueTask<bool> ReserveAsync(int bytes, long grant, CancellationToken ct) =>
        TryReserve(bytes, grant) ? ValueTask.FromResult(true) : ReserveSlowlyAsync(bytes, grant, ct);

    /// <summary>Takes back what <see cref="ReserveAsync"/> reserved in excess.</summary>
    public void Unreserve(int bytes, long grant)
    {
        if (grant > 0)
        {
            Grant.Return(grant);
        }

        if (bytes > 0)
        {
            Interlocked.Add(ref _dirtyBytes, -bytes);
            WakeWriters();
        }
    }

    /// <summary>Dirty data is gone without having been written.</summary>
    public void Discard(int bytes, long grant)
    {
        Grant.Drop(grant);
        Interlocked.Add(ref _dirtyBytes, -bytes);
        WakeWriters();
    }

    /// <summary>An object has its first dirty page: the timer looks at it.</summary>
    public void EnterDirty(ObjectData dirty)
    {
        lock (_writeGate)
        {
            _dirtyObjects.Add(dirty);
        }
    }

    /// <summary>A block is to be written. Its IsQueued has been set under its object's gate.</summary>
    public void Enqueue(Block block, bool urgent)
    {
        lock (_writeGate)
        {
            if (urgent)
            {
                _ready.AddFirst(block);
            }
            else
            {
                _ready.AddLast(block);
            }
        }
    }

    /// <summary>Has everything dirty that is older written; <see cref="TimeSpan.Zero"/> for all.</summary>
    public void WriteBack(TimeSpan age)
    {
        ObjectData[] dirty;
        lock (_writeGate)
        {
            if (_dirtyObjects.Count == 0)
            {
                return;
            }

            dirty = [.. _dirtyObjects];
        }

        foreach (var one in dirty)
        {
            if (!one.QueueDirty(age))
            {
                LeaveIfClean(one);
            }
        }

        Pump();
    }

    /// <summary>Waits until everything that is dirty now has been answered.</summary>
    public async ValueTask FlushAsync(CancellationToken ct)
    {
        ObjectData[] dirty;
        lock (_writeGate)
        {
            dirty = [.. _dirtyObjects];
        }

        await Task.WhenAll(dirty.Select(one => one.FlushAsync(0, ulong.MaxValue, ct).AsTask())).ConfigureAwait(false);
    }

    /// <summary>Sends what waits, as far as there are slots.</summary>
    public void Pump()
    {
        while (true)
        {
            Block block;
            lock (_writeGate)
            {
                if (_sending >= _options.RequestsInFlight || _ready.First is not { } first)
                {
                    return;
                }

                _ready.RemoveFirst();
                block = first.Value;
                _sending++;
            }

            if (!((ObjectData)block.Owner).TryTakeRun(block, out var run))
            {
                lock (_writeGate)
                {
                    _sending--;
                }

                continue;
            }

            _ = SendRunAsync(run);
        }
    }

    private bool TryReserve(int bytes, long grant)
    {
        if (Interlocked.Add(ref _dirtyBytes, bytes) <= _options.DirtyBytesPerTarget && Grant.TryTake(grant))
        {
            return true;
        }

        Interlocked.Add(ref _dirtyBytes, -bytes);
        return false;
    }

    private async ValueTask<bool> ReserveSlowlyAsync(int bytes, long grant, CancellationToken ct)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_writeGate)
            {
                waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _writers.Enqueue(waiter);
            }

            // Between the failure and the queue room may have come; and with nothing on its way none will come.
            if (TryReserve(bytes, grant))
            {
                return true;
            }

            if (DirtyBytes == 0 && !TryReserve(bytes, grant))
            {
                return false;
            }

            WriteBack(TimeSpan.Zero);
            await WaitForRoomAsync(waiter, ct).ConfigureAwait(false);
            if (TryReserve(bytes, grant))
            {
                return true;
            }
        }
    }

    /// <summary>Looks again now and then, since room taken by another operation for a moment is not told when it is given back.</summary>
    private async ValueTask WaitForRoomAsync(TaskCompletionSource waiter, CancellationToken ct)
    {
        try
        {
            await waiter.Task.WaitAsync(TimeSpan.FromMilliseconds(100), ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Looks again.
        }
    }

    private void WakeWriters()
    {
        lock (_writeGate)
        {
            while (_writers.TryDequeue(out var waiter))
            {
                waiter.TrySetResult();
            }
        }
    }

    private void LeaveIfClean(ObjectData clean)
    {
        lock (_writeGate)
        {
            _dirtyObjects.Remove(clean);
        }

        // It may have become dirty again before it was taken out.
        if (clean.HasDirty)
        {
            EnterDirty(clean);
        }
    }

    private async Task SendRunAsync(DirtyRun run)
    {
        var to = (ObjectData)run.Block.Owner;
        var errno = Errno.EIO;
        try
        {
            errno = await WriteAsync(
                to, run.Block.Start + ((long)run.FirstPage << Block.PageShift), run.Memory, run.Grant, direct: false, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            LogWriteFailed(_log, failure, Import);
        }

        to.OnSent(run, errno);
        Interlocked.Add(ref _dirtyBytes, -run.Bytes);
        lock (_writeGate)
        {
            _sending--;
        }

        WakeWriters();
        Cache.OnClean();
        Pump();
    }

    [LoggerMessage(7021, LogLevel.Error, "{Target}: writing back failed unexpectedly")]
    private static partial void LogWriteFailed(ILogger log, Exception failure, PtlRpc.Import target);
}

/// <summary>Contiguous dirty pages of one block on their way to the server.</summary>
/// <param name="Memory">What is written: it ends with the object where that ends inside the last page.</param>
/// <param name="Bytes">Of dirty space: whole pages.</param>
internal readonly record struct DirtyRun(
    Block Block, CacheChunk Chunk, int FirstPage, int Pages, Memory<byte> Memory, long Grant, int Bytes);
