using System.Globalization;

namespace Nacre.Bench.Measurement;

/// <summary>Processor time of a process, user and system, all threads.</summary>
internal static class ProcessorTime
{
    /// <summary>Ticks a second of <c>/proc/PID/stat</c>; 100 on every Linux that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    private const int UserTimeField = 11;

    /// <summary>Seconds so far; 0 when the process is unknown or gone.</summary>
    public static double Of(int? process)
    {
        if (process is not { } id) return 0;
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The name, in parentheses, may hold blanks; the fields are counted from behind it.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var user = long.Parse(fields[UserTimeField], CultureInfo.InvariantCulture);
            var system = long.Parse(fields[UserTimeField + 1], CultureInfo.InvariantCulture);
            return (user + system) / TicksPerSecond;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
