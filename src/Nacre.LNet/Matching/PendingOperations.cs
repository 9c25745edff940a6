using System.Security.Cryptography;
using Nacre.LNet.Connections;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Matching;

/// <summary>
/// The operations that wait for an answer, by wire handle. A handle is a random cookie of this run and a number that is
/// never reused: its low bits are a slot of the table, the rest counts.
/// </summary>
internal sealed class PendingOperations(int most)
{
    private const int SlotBits = 20;
    private const ulong SlotMask = (1 << SlotBits) - 1;
    private const int MaxStock = 1024;

    private readonly ulong _interfaceCookie = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly int _most = Math.Min(most, 1 << SlotBits);
    private readonly Lock _gate = new();
    private readonly Stack<int> _freeSlots = new();
    private readonly Stack<PendingOperation> _stock = new();
    private volatile PendingOperation?[] _slots = new PendingOperation?[64];
    private int _usedSlots;
    private ulong _issued;

    /// <summary>Operations that wait.</summary>
    public int Count { get; private set; }

    public WireHandle HandleOf(PendingOperation operation) => new(_interfaceCookie, operation.Cookie);

    /// <summary>An operation with a cookie for it, already findable; null when the bound is reached.</summary>
    public PendingOperation? TryAdd(out ulong cookie)
    {
        lock (_gate)
        {
            cookie = 0;
            if (Count >= _most) return null;
            if (!_freeSlots.TryPop(out var slot)) slot = _usedSlots++;
            if (slot >= _slots.Length) Grow();
            if (!_stock.TryPop(out var operation)) operation = new PendingOperation(this);
            cookie = ++_issued << SlotBits | (uint)slot;
            _slots[slot] = operation;
            Count++;
            return operation;
        }
    }

    /// <summary>The operation a handle may mean; it checks itself whether it still is the one.</summary>
    public PendingOperation? Find(in WireHandle handle)
    {
        if (handle.InterfaceCookie != _interfaceCookie) return null;
        var slots = _slots;
        var slot = handle.ObjectCookie & SlotMask;
        return slot < (ulong)slots.Length ? Volatile.Read(ref slots[slot]) : null;
    }

    /// <summary>The handle is void from now on.</summary>
    public void Remove(ulong cookie)
    {
        lock (_gate)
        {
            var slot = (int)(cookie & SlotMask);
            _slots[slot] = null;
            _freeSlots.Push(slot);
            Count--;
        }
    }

    /// <summary>The caller has its result; the object serves the next.</summary>
    public void Recycle(PendingOperation operation)
    {
        lock (_gate)
        {
            if (_stock.Count < MaxStock) _stock.Push(operation);
        }
    }

    public void Tick(long now)
    {
        var slots = _slots;
        var used = Math.Min(Volatile.Read(ref _usedSlots), slots.Length);
        for (var i = 0; i < used; i++) Volatile.Read(ref slots[i])?.OnTick(now);
    }

    public void FailAll(Peer peer, int generation, string reason)
    {
        var slots = _slots;
        for (var i = 0; i < slots.Length; i++) Volatile.Read(ref slots[i])?.OnConnectionsLost(peer, generation, reason);
    }

    private void Grow()
    {
        var larger = new PendingOperation?[_slots.Length * 2];
        _slots.CopyTo(larger, 0);
        _slots = larger;
    }
}
