using System.CommandLine;

// Each subcommand is added here and lives in a file of its own.
var root = new RootCommand("Nacre: a self-hosted Amazon FSx for Lustre.");

return await root.Parse(args).InvokeAsync();
