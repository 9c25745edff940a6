using System.Globalization;
using System.Runtime.InteropServices;
using Nacre.Bench.Measurement;

namespace Nacre.FilesystemBench.Processes;

/// <summary>
/// The processes of one file system: those that appeared while it was started or mounted. Many of them make themselves daemons, so that neither parent nor
/// session tells whose they are; but only one thing is started at a time, and nobody else lives in the run's own process namespace.
/// </summary>
internal sealed partial class OwnedProcesses
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly HashSet<int> _ids = [];

    /// <summary>What the living ones have used so far.</summary>
    public Usage Usage => new(_ids.ToDictionary(static id => id, static id => ProcessorTime.Of(id)), _ids.SelectMany(Waits).ToDictionary());

    public async Task StartAsync(Func<Task> starting)
    {
        var before = All();
        try
        {
            await starting();
        }
        finally
        {
            _ids.UnionWith(All().Except(before));
        }
    }

    /// <summary>SIGTERM, and SIGKILL to those that take no notice.</summary>
    public async Task EndAsync()
    {
        foreach (var id in _ids.Where(IsAlive)) _ = kill(id, SigTerm);
        try
        {
            await Tool.UntilAsync("end of the servers", Patience, () => !_ids.Any(IsAlive), CancellationToken.None);
        }
        catch (ToolException)
        {
            foreach (var id in _ids.Where(IsAlive)) _ = kill(id, SigKill);
        }
    }

    private static HashSet<int> All() =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(static folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(static id => id != 0),
    ];

    /// <summary>How often each of its threads has gone to sleep, by the thread's number.</summary>
    private static List<KeyValuePair<int, long>> Waits(int id)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{id}/task").Select(static thread => WaitsOf(thread)).OfType<KeyValuePair<int, long>>()];
        }
        catch (IOException)
        {
            // It ended.
            return [];
        }
    }

    /// <summary>Null when the thread has ended.</summary>
    private static KeyValuePair<int, long>? WaitsOf(string thread)
    {
        const string key = "voluntary_ctxt_switches:";
        try
        {
            var line = File.ReadLines(Path.Combine(thread, "status")).First(static line => line.StartsWith(key, StringComparison.Ordinal));
            return new(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), long.Parse(line.AsSpan(key.Length), CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A zombie has ended, whoever may not have noticed.</summary>
    private static bool IsAlive(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
