using System.Globalization;
using Nacre.EndToEnd.Fuzz;

// Damaged messages, by hand: Nacre.Fuzz [rpc|lnet|lnet-tcp] [MESSAGES [SEED [PEERS]]]. Against a whole node, or against LNet alone in
// memory or over TCP. Ends with 1 when something was found.
const long DefaultMessages = 10_000_000;

var what = args is ["rpc" or "lnet" or "lnet-tcp", ..] ? args[0] : "rpc";
var numbers = args is ["rpc" or "lnet" or "lnet-tcp", ..] ? args[1..] : args;
var options = new FuzzOptions { Messages = DefaultMessages, Progress = line => Console.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {line}") };
if (numbers.Length > 0)
{
    options = options with { Messages = long.Parse(numbers[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) };
}

if (numbers.Length > 1)
{
    options = options with { Seed = int.Parse(numbers[1], CultureInfo.InvariantCulture) };
}

if (numbers.Length > 2)
{
    options = options with { Peers = int.Parse(numbers[2], CultureInfo.InvariantCulture) };
}

Console.WriteLine($"{what}: {options.Messages:n0} messages of {options.Peers} peers, seed {options.Seed}");
var violations = what == "rpc" ? await AttackNodeAsync(options) : await AttackFramingAsync(options, tcp: what == "lnet-tcp");
foreach (var violation in violations)
{
    Console.WriteLine($"\nVIOLATION {violation}");
}

Console.WriteLine(violations.Count == 0 ? "nothing found" : $"{violations.Count} violations, seed {options.Seed}");
return violations.Count == 0 ? 0 : 1;

static async Task<IReadOnlyList<string>> AttackNodeAsync(FuzzOptions options)
{
    var result = await FuzzRun.RunAsync(options);
    Console.WriteLine($"{result.Statistics} in {result.Duration}, beside {result.BystanderOperations:n0} operations of others");
    Console.WriteLine($"succeeded: {result.Statistics.Successes}");
    Console.WriteLine($"refused: {result.Statistics.Refusals}");
    return result.Violations;
}

static async Task<IReadOnlyList<string>> AttackFramingAsync(FuzzOptions options, bool tcp)
{
    var result = await new FramingRun(options, tcp).RunAsync();
    Console.WriteLine($"{result.Statistics} in {result.Duration} ({result.Statistics.Sent / result.Duration.TotalSeconds:n0}/s)");
    Console.WriteLine($"beside {result.BystanderOperations:n0} operations of another node; resident memory {result.MemoryBefore >> 20} MiB after a fifth, {result.MemoryAfter >> 20} MiB at the end");
    return result.Violations;
}
