using System.Globalization;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>What the options of <c>lfs setstripe</c> say, as the layout a server is asked for (05 section 11.4).</summary>
internal static class LayoutArguments
{
    public static readonly Options Known = new(
        "c:stripe-count:count:", "C:overstripe-count:", "S:stripe-size:size:", "i:stripe-index:stripe-offset:", "o:ost:ost-list:", "p:pool:",
        "E:component-end:", "L:layout:", "d:delete");

    private const int MaxOsts = 2000;

    /// <exception cref="LfsException">Says in one line what is wrong.</exception>
    public static LovLayout Parse(IReadOnlyList<(string Name, string Value)> options)
    {
        if (options.Any(static option => option.Name == "d"))
        {
            return options.Count == 1 ? LovLayout.Plain(Empty()) : throw new LfsException("-d goes with no other option");
        }

        return options.Any(static option => option.Name == "E") ? ParseComposite(options) : ParsePlain(options);
    }

    private static LovLayout ParsePlain(IReadOnlyList<(string Name, string Value)> options)
    {
        var component = Empty();
        foreach (var (name, value) in options) Apply(component, name, value);
        return LovLayout.Plain(component);
    }

    /// <summary>Each -E ends a component; the options behind it are that component's.</summary>
    private static LovLayout ParseComposite(IReadOnlyList<(string Name, string Value)> options)
    {
        var layout = new LovLayout { IsComposite = true };
        foreach (var (name, value) in options)
        {
            if (name == "E")
            {
                var start = layout.Components.Count == 0 ? 0 : layout.Components[^1].End;
                var component = Empty();
                (component.Start, component.End) = (start, EndOf(value));
                if (component.End <= start) throw new LfsException($"-E {value}: a component ends behind the one before it");
                layout.Components.Add(component);
            }
            else if (layout.Components.Count == 0)
            {
                throw new LfsException($"-{name} comes before the first -E: options of a component stand behind its end");
            }
            else
            {
                Apply(layout.Components[^1], name, value);
            }
        }

        return layout.Components.Count <= Lov.MaxComponents ? layout : throw new LfsException($"at most {Lov.MaxComponents} components");
    }

    private static LovComponent Empty() => new() { GenOrOffset = Lov.Any };

    private static void Apply(LovComponent component, string name, string value)
    {
        switch (name)
        {
            case "c":
                component.StripeCount = CountOf(name, value);
                break;
            case "C":
                component.StripeCount = CountOf(name, value);
                component.Pattern |= LovPattern.Overstriping;
                break;
            case "S":
                component.StripeSize = StripeSizeOf(value);
                break;
            case "i":
                component.GenOrOffset = value == "-1" ? Lov.Any : (ushort)Number(name, value, Lov.Any - 1);
                break;
            case "o":
                TakeOsts(component, value);
                break;
            case "p":
                TakePool(component, value);
                break;
            case "L":
                component.Pattern = PatternOf(value);
                break;
        }
    }

    private static ushort CountOf(string name, string value) => value == "-1" ? Lov.Any : (ushort)Number(name, value, Lov.MaxStripeCount);

    private static uint StripeSizeOf(string value)
    {
        var bytes = BytesOf("S", value);
        return bytes % Lov.StripeSizeUnit == 0 && bytes <= uint.MaxValue
            ? (uint)bytes
            : throw new LfsException($"-S {value}: a multiple of 64K below 4G is needed");
    }

    private static ulong EndOf(string value)
    {
        if (value is "-1" || value.Equals("eof", StringComparison.OrdinalIgnoreCase)) return Lov.Eof;
        var bytes = BytesOf("E", value);
        return bytes > 0 && bytes % Lov.StripeSizeUnit == 0 ? bytes : throw new LfsException($"-E {value}: a multiple of 64K, or -1 for the end of the file, is needed");
    }

    private static LovPattern PatternOf(string value) => value switch
    {
        "raid0" => LovPattern.Raid0,
        "mdt" => LovPattern.Mdt,
        _ => throw new LfsException($"-L {value}: raid0 or mdt is needed"),
    };

    private static void TakePool(LovComponent component, string value)
    {
        if (value.Length is 0 or >= Lov.PoolNameSize) throw new LfsException($"-p {value}: 1 to {Lov.PoolNameSize - 1} characters are needed");
        component.Pool = value;
        if (component.Magic == LovMagic.V1) component.Magic = LovMagic.V3;
    }

    /// <summary>"0,2-4".</summary>
    private static void TakeOsts(LovComponent component, string value)
    {
        var osts = new List<LovOstData>();
        foreach (var range in value.Split(','))
        {
            var ends = range.Split('-');
            var first = Number("o", ends[0], Lov.Any - 1);
            var last = ends.Length == 1 ? first : Number("o", ends[^1], Lov.Any - 1);
            if (ends.Length > 2 || last < first || last - first + osts.Count >= MaxOsts) throw new LfsException($"-o {value}: OST indices such as 0,2-4 are needed");
            for (var index = first; index <= last; index++) osts.Add(new LovOstData { OstIndex = (uint)index });
        }

        component.Magic = LovMagic.Specific;
        component.Objects = [.. osts];
        component.StripeCount = (ushort)osts.Count;
        component.GenOrOffset = (ushort)osts[0].OstIndex;
    }

    /// <summary>Bytes of "64K", "1M", "3g"; a number alone is bytes.</summary>
    public static ulong BytesOf(string option, string value)
    {
        var shift = value.Length == 0 ? -1 : "kmgtp".IndexOf(char.ToLowerInvariant(value[^1]), StringComparison.Ordinal);
        var digits = shift < 0 ? value : value[..^1];
        var bits = (shift + 1) * 10;
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= ulong.MaxValue >> 1 >> bits
            ? number << bits
            : throw new LfsException($"-{option} {value}: a size such as 64K, 1M or 4G is needed");
    }

    private static int Number(string option, string value, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
            ? number
            : throw new LfsException($"-{option} {value}: a number from 0 to {most} is needed");
}
