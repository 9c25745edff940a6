using System.Globalization;

namespace Nacre.FilesystemBench.Metadata;

/// <summary>What a process does with its files.</summary>
internal enum MetadataOperation
{
    /// <summary>open with O_CREAT and O_EXCL, and close, of each.</summary>
    Create,

    /// <summary>stat of each by its path, in an order that is no listing's.</summary>
    Stat,

    /// <summary>The same over and over for <see cref="MetadataWorker.RepeatFor"/>, after a first pass that does not count.</summary>
    StatRepeatedly,

    /// <summary>Reads the folder to its end; an entry is an operation.</summary>
    List,

    /// <summary>Reads the folder and stats each entry, as <c>ls -l</c> does.</summary>
    ListAndStat,

    /// <summary>Removes each.</summary>
    Unlink,
}

/// <summary>A task as one line: the folder comes last, as it may hold blanks.</summary>
/// <param name="First">Number of the first file.</param>
internal sealed record MetadataTask(MetadataOperation Operation, string Folder, int First, int Count)
{
    public static MetadataTask Parse(string line)
    {
        var parts = line.Split(' ', 4);
        return new MetadataTask(
            Enum.Parse<MetadataOperation>(parts[0]),
            parts[3],
            int.Parse(parts[1], CultureInfo.InvariantCulture),
            int.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Operation} {First} {Count} {Folder}");
}
