using Nacre.FilesystemBench.Isolation;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>
/// A file system that is measured: its servers, all on this machine, and two mounts of it. The one that is measured stays for the whole run; the other comes and goes,
/// for files that the measured one has not seen yet.
/// </summary>
internal abstract class FileSystemUnderTest(string folder)
{
    protected const string Address = OwnNamespaces.Address;

    /// <summary>For starts and stops: some of the servers take their time.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly OwnedProcesses _processes = new();
    private readonly HashSet<string> _mounts = [];

    /// <summary>Column of the table, and word for <c>--on</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it is one that Nacre is to be ahead of.</summary>
    public virtual bool IsPeer => true;

    /// <summary>Null when all it needs is installed, else what to do.</summary>
    public abstract string? Missing { get; }

    /// <summary>Where the measured mount is.</summary>
    public virtual string Mount => Path.Combine(Folder, "mount");

    /// <summary>Of its living processes, servers and mounts. Work of the kernel on behalf of callers is not in it.</summary>
    public Usage Usage => _processes.Usage;

    protected string Folder => folder;

    public abstract Task<string> DescribeAsync(CancellationToken ct);

    /// <exception cref="ToolException">It cannot start here; says why.</exception>
    public Task StartAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        return _processes.StartAsync(async () =>
        {
            await StartServersAsync(ct);
            await MountAsync(Mount, ct);
        });
    }

    /// <summary>Does something on a second mount, and takes that mount away again: with its caches, and its locks.</summary>
    public virtual async Task OnSecondMountAsync(Func<string, Task> work, CancellationToken ct)
    {
        var second = Path.Combine(folder, "second");
        await _processes.StartAsync(() => MountAsync(second, ct));
        try
        {
            await work(second);
        }
        finally
        {
            await UnmountAsync(second);
        }
    }

    /// <summary>Never throws: what is left goes with the run's namespaces.</summary>
    public async Task StopAsync()
    {
        try
        {
            foreach (var mount in _mounts.ToList()) await UnmountAsync(mount);
        }
        catch (ToolException e)
        {
            Console.Error.WriteLine($"{Name}: {e.Message}");
        }

        await _processes.EndAsync();
    }

    protected abstract Task StartServersAsync(CancellationToken ct);

    /// <summary>Returns when the file system can be used there.</summary>
    protected abstract Task MountCommandAsync(string at, CancellationToken ct);

    protected virtual Task UnmountCommandAsync(string at) => RunAsync("umount", [at], CancellationToken.None);

    protected static Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct) =>
        Tool.RunAsync(program, arguments, Patience, ct);

    /// <summary>For programs that leave a daemon behind which keeps their outputs: they go to a file, and into the message if the program fails.</summary>
    protected Task RunDaemonAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        const string script = "\"$@\" >\"$0\" 2>&1 </dev/null || { cat \"$0\"; exit 1; }";
        return RunAsync("bash", ["-c", script, Path.Combine(folder, program + ".out"), Tool.Find(program) ?? program, .. arguments], ct);
    }

    /// <summary>Makes a folder below that of this file system.</summary>
    protected string MakeFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    private async Task MountAsync(string at, CancellationToken ct)
    {
        Directory.CreateDirectory(at);
        await MountCommandAsync(at, ct);
        _mounts.Add(at);
    }

    private async Task UnmountAsync(string at)
    {
        _mounts.Remove(at);
        try
        {
            await UnmountCommandAsync(at);
        }
        catch (ToolException)
        {
            await RunAsync("umount", ["--lazy", at], CancellationToken.None);
            throw;
        }
    }
}
