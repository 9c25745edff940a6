using Nacre.EndToEnd.Fuzz;
using Xunit.Abstractions;

namespace Nacre.EndToEnd;

/// <summary>
/// Hostile input below the RPCs: 100,000 messages in damaged HELLOs, headers and streams. <c>NACRE_FUZZ_SEED</c> repeats a run,
/// <c>NACRE_FUZZ_MESSAGES</c> makes it longer; bench/Nacre.Fuzz is the same with a view of its progress.
/// </summary>
[Collection(Alone.Name)]
public sealed class FramingFuzzTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DamagedFramingDoesNoHarm(bool tcp)
    {
        var options = FuzzOptions.FromEnvironment() with { Progress = output.WriteLine };
        output.WriteLine($"{FuzzOptions.SeedVariable}={options.Seed}");
        var result = await new FramingRun(options, tcp).RunAsync();

        output.WriteLine($"{result.Statistics} in {result.Duration.TotalSeconds:n0} s beside {result.BystanderOperations} operations of another node");
        Assert.True(result.Violations.Count == 0, $"seed {options.Seed}: {string.Join("\n\n", result.Violations.Take(20))}");
        Assert.True(result.BystanderOperations > 0);
        Assert.True(result.Statistics.Answers > result.Statistics.Sent / 20, "the node has answered too little to have been tested");
    }
}
