using System.Globalization;

namespace Nacre.Server.Node;

/// <summary>What a file system is made of: <c>NAME[,osts=N][,capacity-gib=G]</c>.</summary>
/// <param name="Name">The mount name: 1 to 8 characters out of <c>A-Z a-z 0-9 _ -</c> (04 section 1.1).</param>
/// <param name="OstCount">OSTs; null to take one for each <see cref="GibPerOst"/> of capacity, or what the file system has.</param>
/// <param name="CapacityGib">Bytes of file data the OSTs hold together, in GiB, thin-provisioned; null for what the file system has.</param>
public sealed record FileSystemSpec(string Name, int? OstCount, long? CapacityGib)
{
    /// <summary>Capacity of one OST of an SSD file system of FSx, GiB; also the smallest file system and the default.</summary>
    public const long GibPerOst = 1200;

    public const int MaxNameLength = 8;
    public const int MaxOsts = 256;
    public const long MaxCapacityGib = 1L << 23;

    /// <exception cref="NodeConfigurationException">The text is no valid specification; the message says why in one line.</exception>
    public static FileSystemSpec Parse(string text)
    {
        var parts = text.Split(',');
        var spec = new FileSystemSpec(CheckedName(parts[0]), null, null);
        foreach (var part in parts.AsSpan(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? part : part[..equals];
            var value = equals < 0 ? "" : part[(equals + 1)..];
            spec = key switch
            {
                "osts" when spec.OstCount is not null => throw new NodeConfigurationException($"osts is given twice for file system '{spec.Name}'"),
                "capacity-gib" when spec.CapacityGib is not null =>
                    throw new NodeConfigurationException($"capacity-gib is given twice for file system '{spec.Name}'"),
                "osts" => spec with { OstCount = (int)Number(key, value, MaxOsts) },
                "capacity-gib" => spec with { CapacityGib = Number(key, value, MaxCapacityGib) },
                _ => throw new NodeConfigurationException($"unknown option '{key}' of file system '{spec.Name}': it has osts=N and capacity-gib=G"),
            };
        }

        return spec;
    }

    /// <exception cref="NodeConfigurationException">The name cannot be that of a file system.</exception>
    internal static string CheckedName(string name)
    {
        if (name.Length == 0)
        {
            throw new NodeConfigurationException("a file system needs a name");
        }

        if (name.Length > MaxNameLength)
        {
            throw new NodeConfigurationException($"file system name '{name}' is {name.Length} characters long: at most {MaxNameLength} are allowed");
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                throw new NodeConfigurationException($"file system name '{name}' has the character '{c}': only A-Z a-z 0-9 _ - are allowed");
            }
        }

        return name;
    }

    private static long Number(string key, string value, long max) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max
            ? number
            : throw new NodeConfigurationException($"{key}={value}: a whole number from 1 to {max} is needed");
}
