using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Layouts;

/// <summary>Chooses the template for a new layout: the request, the parent's default, the root's default, the file
/// system's (05 section 11.7).</summary>
public static class LayoutTemplates
{
    /// <summary>
    /// Resolves the layers, most specific first; null = this layer says nothing. A composite is complete in itself; of a
    /// plain template the attributes it leaves open come from the next plain layer.
    /// </summary>
    public static LovLayout Resolve(LovLayout? request, LovLayout? parent, LovLayout? root, LovLayout fileSystem)
    {
        LovLayout? result = null;
        foreach (var layer in (ReadOnlySpan<LovLayout?>)[request, parent, root, fileSystem])
        {
            if (layer == null)
                continue;
            if (result == null)
                result = layer.Clone();
            else if (!layer.IsComposite)
                FillFrom(result.Components[0], layer.Components[0]);
            if (result.IsComposite)
                return result;
        }
        Complete(result!.Components[0]);
        return result;
    }

    private static void FillFrom(LovComponent open, LovComponent from)
    {
        if (open.StripeSize == 0)
            open.StripeSize = from.StripeSize;
        if (open.StripeCount == 0)
            open.StripeCount = from.StripeCount;
        if (open.GenOrOffset == Lov.Any && open.Magic != LovMagic.Specific && from.Magic != LovMagic.Specific)
            open.GenOrOffset = from.GenOrOffset;
    }

    /// <summary>What no layer said: the numbers of the client's lov descriptor.</summary>
    private static void Complete(LovComponent component)
    {
        if (component.StripeSize == 0)
            component.StripeSize = LayoutDefaults.StripeSize;
        if (component.StripeCount == 0)
            component.StripeCount = 1;
    }
}
