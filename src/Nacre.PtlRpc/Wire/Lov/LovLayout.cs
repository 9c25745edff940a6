namespace Nacre.PtlRpc.Wire;

/// <summary>One component of a layout: how an extent of the file maps to objects. A plain layout is one component over
/// [0, <see cref="Lov.Eof"/>). The form is the wire's, so that decoding and encoding is the identity (05 section 11).</summary>
public sealed class LovComponent
{
    /// <summary>V1, V3 (with pool), Specific (user form), or Foreign inside a composite.</summary>
    public LovMagic Magic { get; set; } = LovMagic.V1;
    public uint Id { get; set; }
    public LovCompFlags Flags { get; set; }
    /// <summary>First byte of the extent.</summary>
    public ulong Start { get; set; }
    /// <summary>First byte behind the extent; <see cref="Lov.Eof"/> = end of file.</summary>
    public ulong End { get; set; } = Lov.Eof;
    /// <summary><c>lcme_layout_gen</c>.</summary>
    public uint EntryLayoutGen { get; set; }
    /// <summary><c>lcme_timestamp</c>.</summary>
    public ulong Timestamp { get; set; }
    public LovPattern Pattern { get; set; } = LovPattern.Raid0;
    /// <summary>FID oid of the file (<c>lmm_oi.oi_id</c>).</summary>
    public ulong OiId { get; set; }
    /// <summary>FID sequence of the file.</summary>
    public ulong OiSeq { get; set; }
    /// <summary>Bytes; 0 in the user form = default.</summary>
    public uint StripeSize { get; set; }
    /// <summary>Objects; 0xffff in templates = all OSTs, 0 in the user form = default.</summary>
    public ushort StripeCount { get; set; }
    /// <summary><c>lmm_layout_gen</c>; in the user form and in templates the first OST index, 0xffff = any.</summary>
    public ushort GenOrOffset { get; set; }
    /// <summary>Pool name without padding; only with <see cref="LovMagic.V3"/> and <see cref="LovMagic.Specific"/>.</summary>
    public string Pool { get; set; } = "";
    /// <summary>Objects in stripe order. A template that came from a genuine server has one dummy entry.</summary>
    public LovOstData[] Objects { get; set; } = [];
    /// <summary>The raw blob of a foreign component.</summary>
    public byte[]? ForeignBlob { get; set; }

    public bool IsInstantiated => (Flags & LovCompFlags.Init) != 0;
    public bool IsReleased => (Pattern & LovPattern.Released) != 0;
    public bool IsDataOnMdt => (Pattern & LovPattern.Mdt) != 0;

    /// <summary>Bytes of the blob this component is encoded to.</summary>
    public int EncodedSize =>
        ForeignBlob?.Length ?? (Magic == LovMagic.V1 ? LovMdsMd.Size : LovMdsMd.SizeV3) + Objects.Length * LovOstData.Size;

    /// <summary>Whether the extent shares a byte with [start, end).</summary>
    public bool Intersects(ulong start, ulong end) => start < End && end > Start;

    public LovComponent Clone()
    {
        var copy = (LovComponent)MemberwiseClone();
        copy.Objects = [.. Objects];
        return copy;
    }
}

/// <summary>A decoded layout EA: plain, composite or foreign. Build and change it, then <see cref="LovCodec.Encode(LovLayout)"/>.</summary>
public sealed class LovLayout
{
    public bool IsComposite { get; set; }
    /// <summary><c>lcm_layout_gen</c> of a composite; a plain layout keeps its generation in its component.</summary>
    public uint Generation { get; set; }
    /// <summary><c>lcm_flags</c>: state of a mirrored file, 0 = none.</summary>
    public ushort Flags { get; set; }
    /// <summary>Mirrors minus one.</summary>
    public ushort MirrorCount { get; set; }
    /// <summary>In the order of the EA; at least one unless <see cref="Foreign"/>.</summary>
    public List<LovComponent> Components { get; } = [];
    /// <summary>The whole EA when it is a foreign one, kept verbatim.</summary>
    public byte[]? Foreign { get; set; }

    /// <summary>The generation a client compares (05 section 11.6).</summary>
    public uint EffectiveGeneration => IsComposite || Components.Count == 0 ? Generation : Components[0].GenOrOffset;

    /// <summary>Objects of all instantiated components.</summary>
    public IEnumerable<LovOstData> Objects()
    {
        foreach (var component in Components)
        {
            if (component.IsReleased || component.ForeignBlob != null || (IsComposite && !component.IsInstantiated))
                continue;
            foreach (var entry in component.Objects)
                yield return entry;
        }
    }

    /// <summary>A plain layout of one component.</summary>
    public static LovLayout Plain(LovComponent component)
    {
        var layout = new LovLayout();
        layout.Components.Add(component);
        return layout;
    }

    public LovLayout Clone()
    {
        var copy = new LovLayout
        {
            IsComposite = IsComposite,
            Generation = Generation,
            Flags = Flags,
            MirrorCount = MirrorCount,
            Foreign = Foreign,
        };
        foreach (var component in Components)
            copy.Components.Add(component.Clone());
        return copy;
    }
}
