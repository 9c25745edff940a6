namespace Nacre.FilesystemBench.Processes;

/// <summary>What processes had used at a moment.</summary>
/// <param name="processorSeconds">By process: user and system, in steps of 10 ms.</param>
/// <param name="waits">By thread: how often it went to sleep, for a message, for a lock, for the disk.</param>
internal sealed class Usage(Dictionary<int, double> processorSeconds, Dictionary<int, long> waits)
{
    private readonly Dictionary<int, double> _processorSeconds = processorSeconds;
    private readonly Dictionary<int, long> _waits = waits;

    /// <summary>What was used since. Of those that ended in between nothing counts: a second mount may take its time to go.</summary>
    public (double ProcessorSeconds, long Waits) Since(Usage before) => (
        _processorSeconds.Sum(now => Math.Max(now.Value - before._processorSeconds.GetValueOrDefault(now.Key), 0)),
        _waits.Sum(now => now.Value - before._waits.GetValueOrDefault(now.Key)));
}
