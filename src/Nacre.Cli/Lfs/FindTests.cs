using System.Globalization;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Lfs;

/// <summary>A file that <c>lfs find</c> looks at. What costs a request is fetched when a test asks for it.</summary>
internal sealed class FoundFile(string path, string name)
{
    private FileStatus? _status;
    private LovLayout? _layout;
    private bool _hasAsked;

    public string Path { get; } = path;

    public string Name { get; } = name;

    /// <exception cref="LfsException">It is gone, or may not be looked at.</exception>
    public FileStatus Status => _status ??= FileCalls.Stat(Path, out var status) is var errno and not 0 ? throw LustreFiles.Failed(Path, errno) : status;

    /// <summary>Null for what has none, and for directories: their default places nothing.</summary>
    public LovLayout? Layout
    {
        get
        {
            if (!_hasAsked && Status.IsRegular) _layout = LustreFiles.LayoutOf(Path, isDirectory: false);
            _hasAsked = true;
            return _layout;
        }
    }
}

/// <summary>The tests of <c>lfs find</c>, each by the names it goes by, and what its value means.</summary>
internal static class FindTests
{
    private static readonly Dictionary<string, Func<string, Predicate<FoundFile>>> Known = new()
    {
        ["name"] = static value => file => FileCalls.Matches(value, file.Name),
        ["type"] = OfType,
        ["size"] = static value => OfSize(value, static file => [file.Status.Size]),
        ["blocks"] = static value => OfSize(value, static file => [file.Status.Blocks * 512]),
        ["atime"] = static value => OfAge(value, static file => file.Status.AccessTime),
        ["ctime"] = static value => OfAge(value, static file => file.Status.ChangeTime),
        ["mtime"] = static value => OfAge(value, static file => file.Status.ModifyTime),
        ["uid"] = static value => OfNumber(value, static file => [file.Status.Uid]),
        ["gid"] = static value => OfNumber(value, static file => [file.Status.Gid]),
        ["user"] = static value => OfOwner(value, FileCalls.UserId(value), static file => file.Status.Uid),
        ["group"] = static value => OfOwner(value, FileCalls.GroupId(value), static file => file.Status.Gid),
        ["links"] = static value => OfNumber(value, static file => [file.Status.LinkCount]),
        ["perm"] = OfPermissions,
        ["ost"] = OnOst,
        ["pool"] = static value => file => file.Layout?.Components.Exists(one => FileCalls.Matches(value, one.Pool)) ?? false,
        ["stripe-count"] = static value => OfNumber(value, static file => LastOf(file, static one => one.StripeCount)),
        ["stripe-size"] = static value => OfSize(value, static file => LastOf(file, static one => one.StripeSize)),
        ["stripe-index"] = static value => OfNumber(value, static file => LastOf(file, static one => one.Objects.Length > 0 ? one.Objects[0].OstIndex : ulong.MaxValue)),
        ["component-count"] = static value => OfNumber(value, static file => file.Layout is { IsComposite: true } layout ? [(ulong)layout.Components.Count] : []),
    };

    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["n"] = "name",
        ["t"] = "type",
        ["s"] = "size",
        ["b"] = "blocks",
        ["A"] = "atime",
        ["C"] = "ctime",
        ["M"] = "mtime",
        ["u"] = "user",
        ["U"] = "user",
        ["g"] = "group",
        ["G"] = "group",
        ["O"] = "ost",
        ["o"] = "ost",
        ["obd"] = "ost",
        ["c"] = "stripe-count",
        ["S"] = "stripe-size",
        ["i"] = "stripe-index",
        ["comp-count"] = "component-count",
    };

    /// <param name="name">Without the dashes.</param>
    /// <returns>Null when there is no such test.</returns>
    public static Func<string, Predicate<FoundFile>>? Find(string name) => Known.GetValueOrDefault(OtherNames.GetValueOrDefault(name, name));

    private static Predicate<FoundFile> OfType(string value)
    {
        var wanted = value switch
        {
            "f" => 0x8000,
            "d" => 0x4000,
            "l" => 0xa000,
            "p" => 0x1000,
            "s" => 0xc000,
            "b" => 0x6000,
            "c" => 0x2000,
            _ => throw new LfsException($"-type {value}: one of b c d f l p s is needed"),
        };
        return file => (file.Status.Mode & 0xf000) == wanted;
    }

    /// <summary>"+1M": above; "-1M": below; "1M": as many units, the last one perhaps not full.</summary>
    private static Predicate<FoundFile> OfSize(string value, Func<FoundFile, ulong[]> sizesOf)
    {
        var (sign, text) = SignOf(value);
        var size = LayoutArguments.BytesOf("size", text.TrimEnd('c'));
        var unit = Math.Max(1, LayoutArguments.BytesOf("size", char.IsAsciiLetter(text[^1]) && text[^1] != 'c' ? "1" + text[^1] : "1"));
        return file => sizesOf(file) is [var actual] && sign switch
        {
            '+' => actual > size,
            '-' => actual < size,
            _ => (actual / unit) + (actual % unit == 0 ? 0UL : 1) == size / unit,
        };
    }

    /// <summary>"+2": more than two whole days ago. Other units: s m h d w y.</summary>
    private static Predicate<FoundFile> OfAge(string value, Func<FoundFile, long> timeOf)
    {
        var (sign, text) = SignOf(value);
        var unit = text[^1] switch
        {
            's' => 1L,
            'm' => 60,
            'h' => 3600,
            'w' => 7 * 86400,
            'y' => 365 * 86400,
            _ => 86400,
        };
        var amount = (long)Number(value, text.TrimEnd('s', 'm', 'h', 'd', 'w', 'y'));
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return file => Compare(sign, Math.Max(0, now - timeOf(file)) / unit, amount);
    }

    private static Predicate<FoundFile> OfNumber(string value, Func<FoundFile, ulong[]> numbersOf)
    {
        var (sign, text) = SignOf(value == "-1" ? "65535" : value);
        var wanted = (long)Number(value, text);
        return file => numbersOf(file) is [var actual and <= long.MaxValue] && Compare(sign, (long)actual, wanted);
    }

    private static Predicate<FoundFile> OfOwner(string value, uint? named, Func<FoundFile, uint> ownerOf)
    {
        var wanted = named ?? (uint)Number(value, value);
        return file => ownerOf(file) == wanted;
    }

    /// <summary>"644" exactly; "-600" all of these bits; "/222" any of them.</summary>
    private static Predicate<FoundFile> OfPermissions(string value)
    {
        var digits = value.TrimStart('-', '/');
        if (digits.Length is 0 or > 4 || digits.Any(static digit => digit is < '0' or > '7')) throw new LfsException($"-perm {value}: octal digits are needed");
        var bits = Convert.ToInt32(digits, 8);
        return file => value[0] switch
        {
            '-' => (file.Status.Mode & bits) == bits,
            '/' => (file.Status.Mode & bits) != 0 || bits == 0,
            _ => (file.Status.Mode & 0xfff) == bits,
        };
    }

    /// <summary>Indices or UUIDs, separated by commas: the file has an object on one of them.</summary>
    private static Predicate<FoundFile> OnOst(string value)
    {
        var wanted = value.Split(',').Select(IndexOf).ToHashSet();
        return file => file.Layout is { } layout && layout.Objects().Any(one => wanted.Contains(one.OstIndex));
    }

    private static uint IndexOf(string ost)
    {
        var at = ost.IndexOf("-OST", StringComparison.Ordinal);
        if (at < 0) return (uint)Number(ost, ost);
        var digits = ost.AsSpan(at + 4);
        var end = digits.IndexOf('_');
        return uint.TryParse(end < 0 ? digits : digits[..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw new LfsException($"'{ost}' is no OST such as demo-OST0001_UUID");
    }

    /// <summary>Of a composite the last component with objects counts.</summary>
    private static ulong[] LastOf(FoundFile file, Func<LovComponent, ulong> valueOf) => file.Layout is { } layout
        ? [valueOf(layout.Components.FindLast(static one => one.IsInstantiated) ?? layout.Components[^1])]
        : [];

    private static (char Sign, string Text) SignOf(string value) =>
        value is ['+' or '-', _, ..] ? (value[0], value[1..]) : value.Length > 0 ? ('=', value) : throw new LfsException("a test has an empty value");

    private static bool Compare(char sign, long actual, long wanted) => sign switch
    {
        '+' => actual > wanted,
        '-' => actual < wanted,
        _ => actual == wanted,
    };

    private static uint Number(string shown, string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new LfsException($"'{shown}': a number is needed");
}
