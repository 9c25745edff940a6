using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>A piece of a file range that lies in one stripe.</summary>
/// <param name="ObjectOffset">Where in the object, bytes.</param>
/// <param name="FileOffset">Where in the file, bytes.</param>
internal readonly record struct Piece(Stripe Stripe, ulong ObjectOffset, ulong FileOffset, int Length);

/// <summary>The arithmetic of 06 section 8.</summary>
internal static class Striping
{
    /// <summary>The pieces of [offset, offset + length) that have objects, in the order of the file.</summary>
    public static IEnumerable<Piece> Map(LuFid file, LovLayout layout, ulong offset, int length)
    {
        var end = offset + (ulong)length;
        foreach (var component in Instantiated(layout))
        {
            var stop = Math.Min(end, component.End);
            for (var at = Math.Max(offset, component.Start); at < stop;)
            {
                var inStripe = at % component.StripeSize;
                var count = (int)Math.Min(component.StripeSize - inStripe, stop - at);
                var row = (ulong)component.StripeSize * component.StripeCount;
                var stripe = new Stripe(file, component, (int)(at % row / component.StripeSize));
                yield return new Piece(stripe, (at / row * component.StripeSize) + inStripe, at, count);
                at += (ulong)count;
            }
        }
    }

    /// <summary>All objects a file has.</summary>
    public static IEnumerable<Stripe> Stripes(LuFid file, LovLayout layout) =>
        from component in Instantiated(layout)
        from index in Enumerable.Range(0, component.Objects.Length)
        select new Stripe(file, component, index);

    /// <summary>Size of the file that an object of that size implies.</summary>
    public static ulong FileSize(Stripe stripe, ulong objectSize)
    {
        if (objectSize == 0)
        {
            return 0;
        }

        ulong unit = stripe.Component.StripeSize;
        var (last, row) = ((objectSize - 1) / unit, unit * stripe.Component.StripeCount);
        return (last * row) + ((ulong)stripe.Index * unit) + ((objectSize - 1) % unit) + 1;
    }

    /// <summary>Size an object has when the file has that size.</summary>
    public static ulong ObjectSize(Stripe stripe, ulong fileSize)
    {
        ulong unit = stripe.Component.StripeSize;
        var row = unit * stripe.Component.StripeCount;
        var before = (ulong)stripe.Index * unit;
        var rest = fileSize % row;
        return (fileSize / row * unit) + (rest <= before ? 0 : Math.Min(rest - before, unit));
    }

    /// <summary>Whether a part of [start, end) lies in a component without objects.</summary>
    public static bool NeedsObjects(LovLayout layout, ulong start, ulong end) =>
        layout.IsComposite && layout.Components.Any(component => !component.IsInstantiated && component.Intersects(start, end));

    private static IEnumerable<LovComponent> Instantiated(LovLayout layout) =>
        layout.Components.Where(component => (!layout.IsComposite || component.IsInstantiated) && !component.IsReleased);
}
