using System.Buffers.Binary;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// Bytes and objects of a store, in all and by owner. Follows every change of a file's block count; rebuilt from the files at
/// start unless the store was closed in order and left a snapshot.
/// </summary>
internal sealed class StoreUsage
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(OwnerKind, uint), OwnerUsage> _owners = [];
    private OwnerUsage _total;

    public OwnerUsage Total { get { lock (_gate) return _total; } }

    public OwnerUsage Of(OwnerKind kind, uint id)
    {
        lock (_gate) return _owners.GetValueOrDefault((kind, id));
    }

    public void Add(in ObjectAttributes a) => Change(a, 512 * a.Blocks, 1);

    public void Remove(in ObjectAttributes a) => Change(a, -512 * a.Blocks, -1);

    /// <summary>An object went from one state to another.</summary>
    public void Move(in ObjectAttributes from, in ObjectAttributes to)
    {
        bool sameOwners = from.Uid == to.Uid && from.Gid == to.Gid && from.ProjectId == to.ProjectId;
        if (sameOwners && from.Blocks == to.Blocks) return;
        if (sameOwners)
        {
            Change(to, 512 * (to.Blocks - from.Blocks), 0);
            return;
        }
        Remove(from);
        Add(to);
    }

    private void Change(in ObjectAttributes a, long bytes, long objects)
    {
        lock (_gate)
        {
            _total = new OwnerUsage(_total.Bytes + bytes, _total.Objects + objects);
            ChangeOwner((OwnerKind.User, a.Uid), bytes, objects);
            ChangeOwner((OwnerKind.Group, a.Gid), bytes, objects);
            ChangeOwner((OwnerKind.Project, a.ProjectId), bytes, objects);
        }
    }

    private void ChangeOwner((OwnerKind, uint) owner, long bytes, long objects)
    {
        var old = _owners.GetValueOrDefault(owner);
        var changed = new OwnerUsage(old.Bytes + bytes, old.Objects + objects);
        if (changed == default) _owners.Remove(owner);
        else _owners[owner] = changed;
    }

    private const int RowBytes = 24;

    /// <summary>Rows of kind u32, id u32, bytes i64, objects i64.</summary>
    public byte[] Save()
    {
        lock (_gate)
        {
            var bytes = new byte[RowBytes * _owners.Count];
            var row = bytes.AsSpan();
            foreach (var ((kind, id), usage) in _owners)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(row, (uint)kind);
                BinaryPrimitives.WriteUInt32LittleEndian(row[4..], id);
                BinaryPrimitives.WriteInt64LittleEndian(row[8..], usage.Bytes);
                BinaryPrimitives.WriteInt64LittleEndian(row[16..], usage.Objects);
                row = row[RowBytes..];
            }
            return bytes;
        }
    }

    /// <summary>False when the snapshot is damaged.</summary>
    public bool TryLoad(ReadOnlySpan<byte> saved)
    {
        if (saved.Length % RowBytes != 0) return false;
        lock (_gate)
        {
            for (; saved.Length > 0; saved = saved[RowBytes..])
            {
                var kind = (OwnerKind)BinaryPrimitives.ReadUInt32LittleEndian(saved);
                var usage = new OwnerUsage(BinaryPrimitives.ReadInt64LittleEndian(saved[8..]),
                    BinaryPrimitives.ReadInt64LittleEndian(saved[16..]));
                _owners[(kind, BinaryPrimitives.ReadUInt32LittleEndian(saved[4..]))] = usage;
                // Every object has exactly one user: their sum is the total.
                if (kind == OwnerKind.User)
                    _total = new OwnerUsage(_total.Bytes + usage.Bytes, _total.Objects + usage.Objects);
            }
        }
        return true;
    }
}
