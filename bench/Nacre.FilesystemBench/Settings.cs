namespace Nacre.FilesystemBench;

/// <summary>How much the workloads do. The same for all file systems of a run.</summary>
internal sealed record Settings
{
    /// <summary>Rounds that count; medians over them are shown.</summary>
    public required int Rounds { get; init; }

    /// <summary>Whether a small round that does not count goes before: servers that are compiled as they run need it.</summary>
    public required bool WarmUp { get; init; }

    /// <summary>Bytes an fio row moves in blocks of 64 KiB and more, all its jobs together.</summary>
    public required long LargeBytes { get; init; }

    /// <summary>Bytes an fio row moves in smaller blocks, all its jobs together.</summary>
    public required long SmallBytes { get; init; }

    /// <summary>Seconds after which an fio row ends, wherever it is.</summary>
    public required int Seconds { get; init; }

    /// <summary>Files of a metadata workload, all its processes together.</summary>
    public required int Files { get; init; }

    /// <summary>Folders of the source tree; each has 20 files.</summary>
    public required int SourceFolders { get; init; }

    /// <summary>Longest time that a single command, or a step of the processes, may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(3);

    public static Settings Full(int rounds) => new()
    {
        Rounds = rounds,
        WarmUp = true,
        LargeBytes = 512L << 20,
        SmallBytes = 64L << 20,
        Seconds = 5,
        Files = 4000,
        SourceFolders = 60,
    };

    /// <summary>Shows that everything works, and little more.</summary>
    public static Settings Quick(int rounds) => new()
    {
        Rounds = rounds,
        WarmUp = false,
        LargeBytes = 64L << 20,
        SmallBytes = 8L << 20,
        Seconds = 2,
        Files = 800,
        SourceFolders = 15,
    };
}
