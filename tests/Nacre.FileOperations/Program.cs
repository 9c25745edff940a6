using System.Globalization;
using Nacre.FileOperations;

// Nacre.FileOperations in-turn|neighbours SEED SECONDS PATH...: PATH is one file, on one or several mounts. Ends with 1 when what was read is not what was
// written; and by a signal when a page cannot be had.
int seed = int.Parse(args[1], CultureInfo.InvariantCulture);
var time = TimeSpan.FromSeconds(int.Parse(args[2], CultureInfo.InvariantCulture));
string[] paths = args[3..];
using IRun run = args[0] == "neighbours" ? new NeighbourRun(seed, paths) : new FileOperationRun(seed, paths);
// For whoever finds it hanging.
using var timer = new Timer(_ => Console.WriteLine(run.Progress), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
try
{
    run.Run(time);
}
catch (InvalidDataException wrong)
{
    Console.WriteLine(wrong.Message);
    return 1;
}

Console.WriteLine(run.Progress);
return 0;
