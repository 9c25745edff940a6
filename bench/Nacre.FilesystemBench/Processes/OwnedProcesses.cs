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

    /// <summary>Seconds of processor time, user and system, that the living ones have used so far.</summary>
    public double ProcessorSeconds => _ids.Sum(static id => ProcessorTime.Of(id));

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
