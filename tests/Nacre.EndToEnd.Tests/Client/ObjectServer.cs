using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>What the client knows of one OST: connection, grant, and dirty data by object. Safe for any thread.</summary>
internal sealed class ObjectServer(int index, Import import)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LdlmResId, List<DirtyData>> _dirty = [];
    private long _grant;
    private bool _hasGrant;

    public int Index { get; } = index;

    public Import Import { get; } = import;

    /// <summary>Most bytes of one bulk request.</summary>
    public int BrwSize => (int)Math.Clamp(Import.ConnectData.BrwSize, 1 << 20, 4 << 20);

    public long Grant
    {
        get
        {
            lock (_gate)
            {
                return _grant;
            }
        }
    }

    /// <summary>Takes what a write of so many bytes consumes; 0 when the grant is too small.</summary>
    public ulong TryConsume(int bytes)
    {
        var data = Import.ConnectData;
        var block = 1L << data.GrantBlkBits;
        var needed = ((bytes + block - 1) & -block) + block + (data.GrantTaxKb * 1024L);
        lock (_gate)
        {
            if (!_hasGrant)
            {
                (_grant, _hasGrant) = (data.Grant, true);
            }

            if (needed > _grant)
            {
                return 0;
            }

            _grant -= needed;
            return (ulong)needed;
        }
    }

    public void AddGrant(ulong bytes)
    {
        lock (_gate)
        {
            _grant += (long)bytes;
        }
    }

    public void AddDirty(LdlmResId resource, DirtyData data)
    {
        lock (_gate)
        {
            if (!_dirty.TryGetValue(resource, out var list))
            {
                _dirty.Add(resource, list = []);
            }

            list.Add(data);
        }
    }

    public IReadOnlyList<DirtyData> TakeDirty(LdlmResId resource)
    {
        lock (_gate)
        {
            return _dirty.Remove(resource, out var list) ? list : [];
        }
    }

    /// <summary>End of the last dirty byte of an object; 0 without dirty data.</summary>
    public ulong DirtyEnd(LdlmResId resource)
    {
        lock (_gate)
        {
            return _dirty.TryGetValue(resource, out var list) ? list.Max(data => data.End) : 0;
        }
    }

    public LdlmResId[] DirtyObjects()
    {
        lock (_gate)
        {
            return [.. _dirty.Keys];
        }
    }

    /// <summary>After an eviction: grant and unwritten data are lost.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _dirty.Clear();
            _hasGrant = false;
        }
    }
}

/// <summary>Bytes written but not sent yet.</summary>
internal sealed record DirtyData(Stripe Stripe, ulong Offset, byte[] Bytes)
{
    public ulong End => Offset + (ulong)Bytes.Length;
}

/// <summary>One object of a file, and what requests about it carry of the file.</summary>
internal sealed record Stripe(LuFid File, LovComponent Component, int Index)
{
    public LovOstData Data => Component.Objects[Index];

    public LdlmResId Resource => new(Data.Object.Sequence, Data.Object.ObjectId | ((ulong)Data.Object.Version << 32));

    /// <summary>Fills what every request about an object holds (06 section 4.2).</summary>
    public void Fill(ref Obdo obdo)
    {
        obdo.Oi = OstId.FromFid(Data.Object);
        obdo.ParentSeq = File.Sequence;
        obdo.ParentOid = File.ObjectId;
        obdo.ParentVer = File.Version;
        obdo.StripeIndex = (uint)Index;
        obdo.Layout = new OstLayout
        {
            StripeSize = Component.StripeSize,
            StripeCount = Component.StripeCount,
            CompStart = Component.Id == 0 ? 0 : Component.Start,
            CompEnd = Component.Id == 0 ? 0 : Component.End,
            CompId = Component.Id,
        };
    }
}
