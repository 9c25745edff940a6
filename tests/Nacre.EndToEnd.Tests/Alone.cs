namespace Nacre.EndToEnd;

/// <summary>Tests that load the machine, or watch the whole process, and so run one at a time after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
