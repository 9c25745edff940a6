using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>Layouts as <c>lfs setstripe</c> asks for them.</summary>
internal static class Layouts
{
    public static LovLayout Striped(ushort count, uint stripeSize) => LovLayout.Plain(Component(count, stripeSize));

    /// <summary><c>lfs setstripe -E BORDER -c 1 -E -1 -c COUNT</c>.</summary>
    public static LovLayout Progressive(ulong border, ushort count)
    {
        var layout = new LovLayout { IsComposite = true };
        var first = Component(1, 65536);
        first.End = border;
        var second = Component(count, 1 << 20);
        second.Start = border;
        layout.Components.AddRange([first, second]);
        return layout;
    }

    private static LovComponent Component(ushort count, uint stripeSize) =>
        new() { StripeCount = count, StripeSize = stripeSize, GenOrOffset = Lov.Any };
}
