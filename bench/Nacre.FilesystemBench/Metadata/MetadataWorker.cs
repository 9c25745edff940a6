using System.Diagnostics;
using System.Globalization;

namespace Nacre.FilesystemBench.Metadata;

/// <summary>
/// A process of the metadata workloads. Each line on its standard input is a task; it gets ready and answers "ready", waits for another line, does the task, and
/// answers with the number of operations and when it began and ended, or with "failed" and why. The end of the input ends it.
/// </summary>
internal static class MetadataWorker
{
    public const string Command = "metadata-worker";
    public const string Ready = "ready";
    public const string Failed = "failed";

    public static readonly TimeSpan RepeatFor = TimeSpan.FromSeconds(0.5);

    public static int Run()
    {
        while (Console.In.ReadLine() is { } line)
        {
            var task = MetadataTask.Parse(line);
            var work = Prepare(task);
            Console.Out.WriteLine(Ready);
            if (Console.In.ReadLine() is null) break;
            Console.Out.WriteLine(Answer(work));
        }

        return 0;
    }

    private static string Answer(Func<long> work)
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            var operations = work();
            // One clock for all processes.
            return string.Create(CultureInfo.InvariantCulture, $"{operations} {start} {Stopwatch.GetTimestamp()}");
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return $"{Failed} {e.Message.ReplaceLineEndings(" ")}";
        }
    }

    private static Func<long> Prepare(MetadataTask task)
    {
        var folder = FileCalls.Terminated(task.Folder);
        var paths = Paths(task);
        return task.Operation switch
        {
            MetadataOperation.Create => () => Each(paths, FileCalls.Create),
            MetadataOperation.Stat => () => Each(Shuffled(paths), FileCalls.Stat),
            MetadataOperation.StatRepeatedly => Repeatedly(Shuffled(paths)),
            MetadataOperation.List => () => Expect(task, FileCalls.List(folder, null)),
            MetadataOperation.ListAndStat => () => Expect(task, FileCalls.List(folder, FileCalls.Stat)),
            MetadataOperation.Unlink => () => Each(paths, FileCalls.Unlink),
            _ => throw new InvalidDataException($"unknown operation {task.Operation}"),
        };
    }

    /// <summary>The first pass, which fills the caches, is part of getting ready.</summary>
    private static Func<long> Repeatedly(byte[][] paths)
    {
        Each(paths, FileCalls.Stat);
        return () =>
        {
            long operations = 0;
            for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < RepeatFor;) operations += Each(paths, FileCalls.Stat);
            return operations;
        };
    }

    private static byte[][] Paths(MetadataTask task) =>
    [
        .. Enumerable.Range(task.First, task.Count)
            .Select(number => FileCalls.Terminated(Path.Combine(task.Folder, "file" + number.ToString("D6", CultureInfo.InvariantCulture)))),
    ];

    private static byte[][] Shuffled(byte[][] paths)
    {
        // The same order in every run.
        new Random(paths.Length).Shuffle(paths);
        return paths;
    }

    private static long Each(byte[][] paths, Action<byte[]> call)
    {
        foreach (var path in paths) call(path);
        return paths.Length;
    }

    private static long Expect(MetadataTask task, long found) =>
        found == task.Count ? found : throw new InvalidDataException($"{task.Folder} has {task.Count} files, and {found} were listed");
}
