using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Layouts;

/// <summary>The file system's default layout, used where neither the create request, nor the parent directory, nor the
/// root directory says otherwise (05 section 11.7). All are templates in the user form.</summary>
public static class LayoutDefaults
{
    /// <summary>Bytes; what a template that names no stripe size gets.</summary>
    public const uint StripeSize = 1 << 20;

    private const ulong MiB = 1UL << 20;
    private const ulong GiB = 1UL << 30;

    /// <summary>The default of Amazon FSx file systems since August 2023:
    /// <c>-E 100M -c 1 -E 10G -c 8 -E 100G -c 16 -E -1 -c 32</c>, stripe size 1 MiB.</summary>
    public static LovLayout Fsx { get; } = Progressive((100 * MiB, 1), (10 * GiB, 8), (100 * GiB, 16), (Lov.Eof, 32));

    /// <summary>One stripe; also what a file opened for appending gets on its creation, so that a log file does not
    /// instantiate every component.</summary>
    public static LovLayout OneStripe { get; } = LovLayout.Plain(Template(0, Lov.Eof, 1));

    private static LovLayout Progressive(params ReadOnlySpan<(ulong End, int Count)> parts)
    {
        var layout = new LovLayout { IsComposite = true };
        ulong start = 0;
        foreach (var (end, count) in parts)
        {
            layout.Components.Add(Template(start, end, (ushort)count));
            start = end;
        }
        return layout;
    }

    private static LovComponent Template(ulong start, ulong end, ushort count) => new()
    {
        Start = start,
        End = end,
        StripeCount = count,
        StripeSize = StripeSize,
        GenOrOffset = Lov.Any,
    };
}
