using Nacre.EndToEnd.Fuzz;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>
/// Hostile input: 100,000 damaged messages. <c>NACRE_FUZZ_SEED</c> repeats a run, <c>NACRE_FUZZ_MESSAGES</c> makes it longer; bench/Nacre.Fuzz is
/// the same with a view of its progress.
/// </summary>
[Collection(Alone.Name)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public async Task DamagedMessagesDoNoHarm()
    {
        var options = FuzzOptions.FromEnvironment() with { Progress = output.WriteLine };
        output.WriteLine($"{FuzzOptions.SeedVariable}={options.Seed}");
        var result = await FuzzRun.RunAsync(options);

        output.WriteLine($"{result.Statistics} in {result.Duration.TotalSeconds:n0} s beside {result.BystanderOperations} operations of others");
        output.WriteLine($"succeeded: {result.Statistics.Successes}\nrefused: {result.Statistics.Refusals}");
        Assert.True(result.Violations.Count == 0, $"seed {options.Seed}: {string.Join("\n\n", result.Violations.Take(20))}");
        Assert.True(result.BystanderOperations > 0);
        Assert.True(result.Statistics.Replies > result.Statistics.Sent / 4, "the server has answered too little to have been tested");
    }
}
