using System.CommandLine;
using Nacre.Cli;
using Nacre.Cli.Fs;
using Nacre.Cli.Lfs;

if (!DescriptorLimit.TryRaise()) return 1;

// Each subcommand is added here and lives in a file of its own.
var root = new RootCommand("Nacre: a self-hosted Amazon FSx for Lustre.")
{
    UpCommand.Create(),
    StatusCommand.Create(),
    OstCommand.Create(),
    FsCommand.Create(),
    TagsCommand.Create(),
    MountCommand.Create(),
    UmountCommand.Create(),
    LfsCommand.Create(),
    DiagnoseCommand.Create(),
    DemoCommand.Create(),
};

if (args is ["lfs", .. var rest]) return LfsCommand.Run(rest);

// mount(8) calls its helpers with the device first, whatever they are called.
if (args is [var device, _, ..] && MountCommand.IsDevice(device)) args = ["mount", .. args];
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
