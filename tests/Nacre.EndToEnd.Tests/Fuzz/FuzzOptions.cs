using System.Globalization;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>How a fuzz run goes. Everything random follows from the seed, except how the messages of different peers mix.</summary>
public sealed record FuzzOptions
{
    public const string SeedVariable = "NACRE_FUZZ_SEED";
    public const string MessagesVariable = "NACRE_FUZZ_MESSAGES";

    public int Seed { get; init; } = Random.Shared.Next();

    public long Messages { get; init; } = 100_000;

    /// <summary>Hostile clients at a time.</summary>
    public int Peers { get; init; } = 8;

    /// <summary>Called now and then with one line about how far the run is.</summary>
    public Action<string> Progress { get; init; } = static _ => { };

    /// <summary>Seed and number of messages from the environment where it has them.</summary>
    public static FuzzOptions FromEnvironment()
    {
        var options = new FuzzOptions();
        if (Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } seed)
        {
            options = options with { Seed = int.Parse(seed, CultureInfo.InvariantCulture) };
        }

        return Environment.GetEnvironmentVariable(MessagesVariable) is { Length: > 0 } messages
            ? options with { Messages = long.Parse(messages, CultureInfo.InvariantCulture) }
            : options;
    }
}
