namespace Nacre.Server.Storage.Objects;

/// <summary>
/// Objects destroyed lately. The late write of a client that was evicted, or that still has an old layout, must not make the
/// file again. Bounded: the oldest is forgotten when there are <see cref="Capacity"/>, and any after <see cref="Lifetime"/>;
/// an object's id is never handed out again, so forgetting one costs at worst a stray file.
/// </summary>
internal sealed class Tombstones(TimeProvider time)
{
    public const int Capacity = 1 << 16;
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly HashSet<ObjectKey> _keys = [];
    private readonly Queue<(ObjectKey Key, long Since)> _order = new();

    public void Add(ObjectKey key)
    {
        lock (_gate)
        {
            if (_keys.Add(key)) _order.Enqueue((key, time.GetTimestamp()));
            while (_order.Count > Capacity || (_order.TryPeek(out var oldest) && time.GetElapsedTime(oldest.Since) > Lifetime))
                _keys.Remove(_order.Dequeue().Key);
        }
    }

    public bool Contains(ObjectKey key)
    {
        lock (_gate) return _keys.Contains(key);
    }
}
