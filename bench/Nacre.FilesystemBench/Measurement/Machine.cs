using System.Globalization;

namespace Nacre.FilesystemBench.Measurement;

/// <summary>The machine and the moment, for the report's header.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = Value("/proc/cpuinfo", "model name");
        var memory = Value("/proc/meminfo", "MemTotal");
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return $"{Environment.ProcessorCount} processors ({model}), memory {memory}, Linux {kernel}, "
            + DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
    }

    /// <summary>Load averages of the kernel, which count everything on the machine.</summary>
    public static string Load() => string.Join(", ", File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    private static string Value(string file, string key) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
}
