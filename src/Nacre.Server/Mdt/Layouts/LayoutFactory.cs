using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Layouts;

/// <summary>Makes and changes the layouts of files: from a template to a layout with objects, component by component.
/// Templates are in the user form, results in the form of a file's EA (05 sections 11.1 and 11.2).</summary>
/// <param name="allocator">Chooses OSTs.</param>
/// <param name="nextObject">Gives the FID of a new object on the OST of this index, from durable counters; called under
/// the store's gate, inside the transaction that stores the layout.</param>
public sealed class LayoutFactory(ObjectAllocator allocator, Func<int, LuFid> nextObject)
{
    /// <summary>Index that marks the dummy entry of a component without objects.</summary>
    private const uint NoTarget = 0xffff_ffff;

    /// <summary>The layout of a new file with its first component instantiated. Throws ENOSPC when no OST can take it.</summary>
    public LovLayout Create(LovLayout template, LuFid file)
    {
        if (template.Components.Exists(static c => c.IsReleased))
            return Released(template, file);
        if (!template.IsComposite)
            return LovLayout.Plain(Instantiated(template.Components[0], file));
        var layout = new LovLayout { IsComposite = true, Generation = (uint)template.Components.Count };
        uint id = 0;
        foreach (var wish in template.Components)
        {
            // The first component always has its objects; the others get theirs when something is written there.
            var component = id == 0 ? Instantiated(wish, file) : Uninstantiated(wish, file);
            component.Id = ++id;
            layout.Components.Add(component);
        }
        return layout;
    }

    /// <summary>The layout of a file that is born with its data in an archive (07 section 9): no objects, in any component.</summary>
    private static LovLayout Released(LovLayout template, LuFid file)
    {
        var layout = new LovLayout { IsComposite = template.IsComposite, Generation = (uint)template.Components.Count };
        uint id = 0;
        foreach (var wish in template.Components)
        {
            var component = Owned(wish, file);
            component.Pattern |= LovPattern.Released;
            component.StripeCount = wish.StripeCount == 0 ? (ushort)1 : wish.StripeCount;
            component.GenOrOffset = 0;
            component.Objects = [];
            if (layout.IsComposite)
                component.Id = ++id;
            layout.Components.Add(component);
        }
        return layout;
    }

    /// <summary>
    /// Instantiates what [start, end) needs of a composite layout. Null when nothing is missing, else a changed copy with
    /// the next generation. A file of a plain layout never needs anything.
    /// </summary>
    public LovLayout? Instantiate(LovLayout layout, LuFid file, ulong start, ulong end)
    {
        if (!layout.IsComposite || !layout.Components.Exists(c => !c.IsInstantiated && c.Intersects(start, end)))
            return null;
        var changed = layout.Clone();
        for (int i = 0; i < changed.Components.Count; i++)
        {
            var old = changed.Components[i];
            if (old.IsInstantiated || !old.Intersects(start, end))
                continue;
            var component = Instantiated(old, file);
            component.Id = old.Id;
            changed.Components[i] = component;
        }
        changed.Generation++;
        return changed;
    }

    private LovComponent Instantiated(LovComponent wish, LuFid file)
    {
        int[] targets = TargetsFor(wish);
        var component = Owned(wish, file);
        component.StripeCount = (ushort)targets.Length;
        component.GenOrOffset = 0;
        component.Flags |= LovCompFlags.Init;
        component.Objects = new LovOstData[targets.Length];
        for (int i = 0; i < targets.Length; i++)
            component.Objects[i] = new LovOstData { Object = nextObject(targets[i]), OstIndex = (uint)targets[i] };
        return component;
    }

    /// <summary>A component that only keeps the wish: like a genuine server's, its blob has one dummy object entry.</summary>
    private static LovComponent Uninstantiated(LovComponent wish, LuFid file)
    {
        var component = Owned(wish, file);
        component.StripeCount = wish.StripeCount == 0 ? (ushort)1 : wish.StripeCount;
        component.GenOrOffset = wish.GenOrOffset;
        if (wish.Magic != LovMagic.Specific)
            component.Objects = [new LovOstData { OstIndex = NoTarget }];
        return component;
    }

    private int[] TargetsFor(LovComponent wish)
    {
        if (wish.Magic == LovMagic.Specific || HasTargetList(wish))
        {
            int[] list = [.. wish.Objects.Select(o => (int)o.OstIndex)];
            allocator.CheckUsable(list);
            return list;
        }
        return allocator.Choose(wish.StripeCount == 0 ? 1 : wish.StripeCount, wish.GenOrOffset);
    }

    /// <summary>An uninstantiated component made from an explicit OST list keeps the list as entries without objects.</summary>
    private static bool HasTargetList(LovComponent wish) =>
        wish.Objects.Length > 0 && wish.Objects[0].OstIndex != NoTarget && wish.Objects.Length == wish.StripeCount;

    private static LovComponent Owned(LovComponent wish, LuFid file)
    {
        var component = wish.Clone();
        bool pool = wish.Pool is not ("" or "none" or "ignore" or "inherit");
        component.Magic = pool ? LovMagic.V3 : LovMagic.V1;
        component.Pool = pool ? wish.Pool : "";
        component.Pattern = LovPattern.Raid0;
        component.OiId = file.ObjectId;
        component.OiSeq = file.Sequence;
        component.StripeSize = FittingStripeSize(wish);
        component.Objects = wish.Magic == LovMagic.Specific ? [.. wish.Objects] : [];
        return component;
    }

    /// <summary>The wished or default stripe size, made smaller where the component's end is no multiple of it; its start may
    /// be (05 section 11.2, and the layout of capture "xattr-layout").</summary>
    private static uint FittingStripeSize(LovComponent wish)
    {
        if (wish.StripeSize != 0)
            return wish.StripeSize;
        uint size = LayoutDefaults.StripeSize;
        while (size > Lov.StripeSizeUnit && wish.End != Lov.Eof && wish.End % size != 0)
            size /= 2;
        return size;
    }
}
