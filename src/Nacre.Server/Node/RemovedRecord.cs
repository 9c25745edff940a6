namespace Nacre.Server.Node;

/// <summary>What a node keeps of the file systems it has removed.</summary>
/// <param name="Count">How many there were, ever: the generation of the next one that is made.</param>
/// <param name="Names">Of the last <see cref="MaxNames"/>, oldest first: their clients are told to give up instead of trying again.</param>
internal sealed record RemovedRecord(uint Count, IReadOnlyList<string> Names)
{
    /// <summary>Clients of one removed before all these try again until they are unmounted.</summary>
    public const int MaxNames = 4096;

    public static readonly RemovedRecord None = new(0, []);

    public RemovedRecord With(string name) =>
        new(Count + 1, [.. Names.Where(other => other != name).TakeLast(MaxNames - 1), name]);
}
