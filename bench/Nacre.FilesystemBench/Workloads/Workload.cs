using Nacre.FilesystemBench.FileSystems;
using Nacre.FilesystemBench.Measurement;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>
/// Something programs do. It yields a figure for each of its rows, one after the other, and the runner takes one from each file system in turn: what disturbs the
/// machine for seconds hits a row of all file systems alike.
/// </summary>
internal abstract class Workload
{
    /// <summary>For <c>--only</c>; rows are called so, or begin so.</summary>
    public abstract string Name { get; }

    /// <summary>Programs it uses, for a check before the run.</summary>
    public abstract string? Missing { get; }

    /// <summary>All it makes is below <see cref="Place.Folder"/>, which the runner removes.</summary>
    public abstract IAsyncEnumerable<Figure> RunAsync(Place place, CancellationToken ct);
}

/// <summary>Where a workload runs.</summary>
/// <param name="name">A folder name that was not used before: nothing about it is in any cache.</param>
internal sealed class Place(FileSystemUnderTest fileSystem, string name, Settings settings)
{
    public Settings Settings => settings;

    /// <summary>On the measured mount; to be made by the workload, or to be found if it was prepared.</summary>
    public string Folder => Path.Combine(fileSystem.Mount, name);

    /// <summary>Makes files that the measured mount has not seen. Gets the folder's path on the second mount.</summary>
    public Task PrepareAsync(Func<string, Task> work, CancellationToken ct) => fileSystem.OnSecondMountAsync(
        mount => work(Directory.CreateDirectory(Path.Combine(mount, name)).FullName), ct);

    public async Task<Figure> MeasureAsync(string row, Unit unit, Func<Task<Amount>> work)
    {
        var before = fileSystem.Usage;
        var amount = await work();
        var (processorSeconds, waits) = fileSystem.Usage.Since(before);
        return new Figure(
            row,
            unit,
            unit == Unit.Seconds ? amount.Seconds : amount.Work / amount.Seconds,
            processorSeconds * 1000 / amount.Work,
            waits / amount.Work);
    }
}
