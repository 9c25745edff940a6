using System.Runtime.InteropServices;
using Nacre.FilesystemBench.FileSystems;
using Nacre.FilesystemBench.Isolation;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Metadata;
using Nacre.FilesystemBench.Processes;
using Nacre.FilesystemBench.Workloads;

namespace Nacre.FilesystemBench;

/// <summary>A run, inside its namespaces: starts what is installed, measures, reports, and stops everything, also after a signal or a failure.</summary>
internal sealed class BenchRun(RunOptions options, string folder)
{
    private const int Stopped = 130;
    private readonly Results _results = new();
    private readonly List<FileSystemUnderTest> _running = [];
    private readonly List<string> _header = [];

    /// <summary>The program's exit code.</summary>
    public static async Task<int> RunAsync(RunOptions options, string folder)
    {
        using var stop = new CancellationTokenSource();
        OwnNamespaces.StopWithOutside(stop);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        try
        {
            await OwnNamespaces.PrepareAsync(folder, options.MemoryGib, stop.Token);
            await new BenchRun(options, folder).RunAsync(stop.Token);
            return 0;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("nacre-fsbench: stopped");
            return Stopped;
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName;
        using var workers = new WorkerPool();
        var workloads = Select(Suite.All(workers, scratch));
        try
        {
            _header.Add(Machine.Describe());
            foreach (var fileSystem in Select(FileSystems())) await StartAsync(fileSystem, ct);
            var loadBefore = Machine.Load();
            try
            {
                await new Runner(_running, workloads, options.Settings, folder, _results).RunAsync(ct);
            }
            catch (OperationCanceledException)
            {
                _results.Fail("The run was stopped before its end.");
                throw;
            }
            finally
            {
                _header.Insert(1, Conditions(loadBefore));
                Report();
            }
        }
        finally
        {
            foreach (var fileSystem in _running) await fileSystem.StopAsync();
        }
    }

    private List<FileSystemUnderTest> FileSystems() =>
    [
        new LocalFileSystem(Path.Combine(folder, "local")),
        new BindFileSystem(Path.Combine(folder, "bindfs")),
        new NacreFileSystem(Path.Combine(folder, "nacre"), new NacreOptions(options.Launcher, options.Osts, options.MountOptions)),
        new GlusterFileSystem(Path.Combine(folder, "glusterfs")),
        new MooseFileSystem(Path.Combine(folder, "moosefs")),
        new CephFileSystem(Path.Combine(folder, "ceph")),
    ];

    /// <exception cref="ToolException">A name is not known.</exception>
    private List<FileSystemUnderTest> Select(List<FileSystemUnderTest> all)
    {
        if (options.On.FirstOrDefault(name => !all.Exists(fileSystem => fileSystem.Name == name)) is { } unknown)
        {
            throw new ToolException($"no file system is called '{unknown}'; there are {string.Join(", ", all.Select(static fileSystem => fileSystem.Name))}");
        }

        return all.FindAll(fileSystem => options.On.Count == 0 || options.On.Contains(fileSystem.Name));
    }

    /// <exception cref="ToolException">A name is not known.</exception>
    private List<Workload> Select(IReadOnlyList<Workload> all)
    {
        if (options.Only.FirstOrDefault(name => !all.Any(workload => Is(workload, name))) is { } unknown)
        {
            throw new ToolException($"no workload is called '{unknown}'; there are {string.Join(", ", all.Select(static workload => workload.Name))}");
        }

        var selected = all.Where(workload => options.Only.Count == 0 || options.Only.Any(name => Is(workload, name))).ToList();
        foreach (var missing in selected.Select(static workload => workload.Missing).OfType<string>().Distinct()) _results.Fail(missing);
        return selected.FindAll(static workload => workload.Missing is null);

        static bool Is(Workload workload, string name) => workload.Name.StartsWith(name, StringComparison.Ordinal);
    }

    /// <summary>One that cannot start here is reported, and the others are measured.</summary>
    private async Task StartAsync(FileSystemUnderTest fileSystem, CancellationToken ct)
    {
        if (fileSystem.Missing is { } missing)
        {
            _results.Fail($"{fileSystem.Name}: {missing}");
            return;
        }

        await Console.Error.WriteLineAsync($"starting {fileSystem.Name}");
        _running.Add(fileSystem);
        try
        {
            await fileSystem.StartAsync(ct);
            _header.Add($"{fileSystem.Name}: {await fileSystem.DescribeAsync(ct)}");
        }
        catch (Exception e) when (e is ToolException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"{fileSystem.Name} cannot start: {e.Message}");
            _results.Fail($"{fileSystem.Name} cannot start: {e.Message}");
            _running.Remove(fileSystem);
            await fileSystem.StopAsync();
        }
    }

    private string Conditions(string loadBefore)
    {
        var settings = options.Settings;
        var disk = options.MemoryGib > 0 ? "ext4 in memory" : "the disk";
        return $"{settings.Rounds} round(s){(settings.WarmUp ? " after a warm-up" : " without warm-up")}, medians; fio moves {settings.LargeBytes >> 20} MiB "
            + $"({settings.SmallBytes >> 20} MiB below blocks of 64 KiB) or for {settings.Seconds} s; {settings.Files} files; all data on {disk}; "
            + $"load averages before {loadBefore}, after {Machine.Load()}";
    }

    private void Report()
    {
        var columns = _running.ConvertAll(static fileSystem => fileSystem.Name);
        var peers = _running.FindAll(static fileSystem => fileSystem.IsPeer).ConvertAll(static fileSystem => fileSystem.Name);
        var markdown = new MarkdownReport(columns, peers, _header, _results).ToString();
        Console.Out.WriteLine(markdown);
        if (options.MarkdownFile is { } markdownFile) File.WriteAllText(markdownFile, markdown);
        if (options.JsonFile is { } jsonFile) File.WriteAllText(jsonFile, JsonReport.Make(_header, options.Settings, _results));
    }
}
