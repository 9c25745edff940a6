using System.Globalization;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>Fields of a layout that are shown by themselves.</summary>
[Flags]
internal enum LayoutFields
{
    None = 0,
    StripeCount = 1,
    StripeSize = 2,
    Pattern = 4,
    Generation = 8,
    StripeOffset = 16,
    Pool = 32,
}

/// <summary>Layouts as the <c>lfs getstripe</c> of Lustre 2.15 writes them, down to the blanks: scripts read it.</summary>
internal static class LayoutText
{
    private const string ComponentIndent = "    ";
    private const string BodyIndent = "      ";

    /// <summary>Bytes.</summary>
    private const uint DefaultStripeSize = 1 << 20;

    /// <summary>The layout of a file, with its objects.</summary>
    /// <param name="isVerbose">With the magic and the file the layout says it is of.</param>
    public static void WriteFile(TextWriter to, LovLayout layout, bool isVerbose)
    {
        if (layout.IsComposite)
        {
            WriteComposite(to, layout, isDefault: false);
            return;
        }

        var plain = layout.Components[0];
        if (isVerbose) WriteIdentity(to, plain);
        WriteBody(to, plain, "", hasObjects: true);
        WriteObjectTable(to, plain);
        to.Write('\n');
    }

    /// <summary>Only the objects (<c>-q</c>).</summary>
    public static void WriteObjects(TextWriter to, LovLayout layout)
    {
        foreach (var component in layout.Components.Where(one => !layout.IsComposite || one.IsInstantiated)) WriteObjectTable(to, component);
        to.Write('\n');
    }

    /// <summary>The layout new files of a directory get.</summary>
    public static void WriteDefault(TextWriter to, LovLayout layout)
    {
        if (layout.IsComposite) WriteComposite(to, layout, isDefault: true);
        else WriteWish(to, layout.Components[0], "");
        if (!layout.IsComposite) to.Write('\n');
    }

    /// <summary>One field alone, or several with their names: of a composite those of its last component that has objects.</summary>
    public static void WriteFields(TextWriter to, LovLayout layout, LayoutFields fields, bool isDefault)
    {
        var component = layout.Components.FindLast(static one => one.IsInstantiated) ?? layout.Components[^1];
        var hasObjects = !isDefault && (!layout.IsComposite || component.IsInstantiated);
        var named = (fields & (fields - 1)) != 0;
        foreach (var (field, name, value) in ValuesOf(component, hasObjects))
        {
            if ((fields & field) == 0) continue;
            if (!named) to.Write($"{value}\n");
            else to.Write(isDefault ? $"{name + ":",-14} {value}\n" : $"{"lmm_" + name + ":",-18} {value}\n");
        }
    }

    private static void WriteComposite(TextWriter to, LovLayout layout, bool isDefault)
    {
        to.Write($"  lcm_layout_gen:    {layout.Generation}\n");
        to.Write($"  lcm_mirror_count:  {layout.MirrorCount + 1}\n");
        to.Write($"  lcm_entry_count:   {layout.Components.Count}\n");
        foreach (var component in layout.Components)
        {
            WriteExtent(to, component, isDefault);
            if (isDefault) WriteWish(to, component, BodyIndent);
            else WriteComponent(to, component);
            to.Write('\n');
        }
    }

    private static void WriteExtent(TextWriter to, LovComponent component, bool isDefault)
    {
        to.Write($"{ComponentIndent}lcme_id:             {(isDefault ? "N/A" : Text(component.Id))}\n");
        to.Write($"{ComponentIndent}lcme_mirror_id:      {(isDefault ? "N/A" : Text(component.Id >> 16))}\n");
        to.Write($"{ComponentIndent}lcme_flags:          {FlagsOf(component.Flags)}\n");
        to.Write($"{ComponentIndent}lcme_extent.e_start: {component.Start}\n");
        to.Write($"{ComponentIndent}lcme_extent.e_end:   {(component.End == Lov.Eof ? "EOF" : Text(component.End))}\n");
    }

    private static void WriteComponent(TextWriter to, LovComponent component)
    {
        WriteBody(to, component, BodyIndent, component.IsInstantiated);
        if (!component.IsInstantiated || component.Objects.Length == 0) return;
        to.Write($"{BodyIndent}lmm_objects:\n");
        for (var i = 0; i < component.Objects.Length; i++)
        {
            ref readonly var entry = ref component.Objects[i];
            to.Write($"{BodyIndent}- {i}: {{ l_ost_idx: {entry.OstIndex}, l_fid: {FidOf(entry)} }}\n");
        }
    }

    private static void WriteBody(TextWriter to, LovComponent component, string indent, bool hasObjects)
    {
        foreach (var (_, name, value) in ValuesOf(component, hasObjects))
        {
            if (value.Length > 0) to.Write($"{indent}{"lmm_" + name + ":",-18} {value}\n");
        }
    }

    /// <summary>All in one line, as defaults are shown.</summary>
    private static void WriteWish(TextWriter to, LovComponent component, string indent)
    {
        to.Write(indent);
        to.Write($"stripe_count:  {Count(component)} {indent}stripe_size:   {SizeOf(component)} {indent}");
        to.Write($"pattern:       {PatternOf(component.Pattern)} {indent}stripe_offset: {Signed(component.GenOrOffset)}");
        to.Write(component.Pool.Length > 0 ? $" {indent}pool:          {component.Pool}\n" : "\n");
    }

    private static void WriteIdentity(TextWriter to, LovComponent plain)
    {
        var file = new LuFid(plain.OiSeq, (uint)plain.OiId);
        to.Write($"lmm_magic:         0x{(uint)plain.Magic:X8}\n");
        to.Write($"lmm_seq:           0x{plain.OiSeq:x}\n");
        to.Write($"lmm_object_id:     0x{plain.OiId:x}\n");
        to.Write($"lmm_fid:           {file}\n");
    }

    private static void WriteObjectTable(TextWriter to, LovComponent component)
    {
        if (component.Objects.Length == 0) return;
        to.Write("\tobdidx\t\t objid\t\t objid\t\t group\n");
        foreach (ref readonly var entry in component.Objects.AsSpan())
        {
            var (id, group) = IsLegacy(entry) ? (entry.Object.Sequence, 0UL) : (entry.Object.ObjectId, entry.Object.Sequence);
            to.Write($"\t{entry.OstIndex,6}\t{id,14}\t{Hex(id),13}\t{Hex(group),14}\n");
        }
    }

    private static IEnumerable<(LayoutFields Field, string Name, string Value)> ValuesOf(LovComponent component, bool hasObjects) =>
    [
        (LayoutFields.StripeCount, "stripe_count", Count(component)),
        (LayoutFields.StripeSize, "stripe_size", SizeOf(component)),
        (LayoutFields.Pattern, "pattern", PatternOf(component.Pattern)),
        (LayoutFields.Generation, "layout_gen", hasObjects ? Text(component.GenOrOffset) : "0"),
        (LayoutFields.StripeOffset, "stripe_offset", Offset(component, hasObjects)),
        (LayoutFields.Pool, "pool", component.Pool),
    ];

    /// <summary>The first object's OST; before there are objects the one that was wished for.</summary>
    private static string Offset(LovComponent component, bool hasObjects) =>
        !hasObjects ? Signed(component.GenOrOffset) : component.Objects.Length > 0 ? Text(component.Objects[0].OstIndex) : "0";

    /// <summary>Bytes; a default that leaves it open shows what files will get.</summary>
    private static string SizeOf(LovComponent component) => Text(component.StripeSize == 0 ? DefaultStripeSize : component.StripeSize);

    private static string Count(LovComponent component) => Signed(component.StripeCount);

    private static string Signed(ushort value) => ((short)value).ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Hex(ulong value) => value == 0 ? "0" : $"0x{value:x}";

    /// <summary>Objects older than FIDs have a number on their OST only (05 section 11.1).</summary>
    private static bool IsLegacy(in LovOstData entry) => entry.Object.ObjectId == 0 && entry.Object.Version == 0;

    /// <summary>A legacy number is shown by the FID reserved for it: 0x1 in front of 16 bits of OST index and 48 bits of number.</summary>
    private static LuFid FidOf(in LovOstData entry) => IsLegacy(entry)
        ? new LuFid(0x1_0000_0000 | ((ulong)entry.OstIndex << 16) | ((entry.Object.Sequence >> 32) & 0xffff), (uint)entry.Object.Sequence)
        : entry.Object;

    private static string PatternOf(LovPattern pattern)
    {
        if ((pattern & LovPattern.Released) != 0) return "released";
        if ((pattern & LovPattern.Mdt) != 0) return "mdt";
        if ((pattern & LovPattern.Foreign) != 0) return "foreign";
        return (pattern & LovPattern.Overstriping) != 0 ? "raid0,overstriped" : "raid0";
    }

    private static string FlagsOf(LovCompFlags flags)
    {
        (LovCompFlags Flag, string Name)[] known =
        [
            (LovCompFlags.Init, "init"), (LovCompFlags.Stale, "stale"), (LovCompFlags.PreferRead | LovCompFlags.PreferWrite, "prefer"),
            (LovCompFlags.Offline, "offline"), (LovCompFlags.NoSync, "nosync"), (LovCompFlags.Extension, "extension"),
        ];
        var names = known.Where(one => (flags & one.Flag) == one.Flag).Select(static one => one.Name).ToList();
        return names.Count == 0 ? "0" : string.Join(',', names);
    }
}
