using System.Globalization;
using Nacre.EndToEnd.Fuzz;

// Damaged messages against a whole node, by hand: Nacre.Fuzz [MESSAGES [SEED [PEERS]]]. Ends with 1 when something was found.
const long DefaultMessages = 10_000_000;

var options = new FuzzOptions { Messages = DefaultMessages, Progress = line => Console.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {line}") };
if (args.Length > 0)
{
    options = options with { Messages = long.Parse(args[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) };
}

if (args.Length > 1)
{
    options = options with { Seed = int.Parse(args[1], CultureInfo.InvariantCulture) };
}

if (args.Length > 2)
{
    options = options with { Peers = int.Parse(args[2], CultureInfo.InvariantCulture) };
}

Console.WriteLine($"{options.Messages:n0} messages of {options.Peers} peers, seed {options.Seed}");
var result = await FuzzRun.RunAsync(options);
Console.WriteLine($"{result.Statistics} in {result.Duration}, beside {result.BystanderOperations:n0} operations of others");
Console.WriteLine($"succeeded: {result.Statistics.Successes}");
Console.WriteLine($"refused: {result.Statistics.Refusals}");
foreach (var violation in result.Violations)
{
    Console.WriteLine($"\nVIOLATION {violation}");
}

Console.WriteLine(result.Violations.Count == 0 ? "nothing found" : $"{result.Violations.Count} violations, seed {options.Seed}");
return result.Violations.Count == 0 ? 0 : 1;
