using System.CommandLine;
using Nacre.FilesystemBench;
using Nacre.FilesystemBench.Metadata;

// Before the command line is looked at: the processes of the metadata workloads are this program too.
if (args is [MetadataWorker.Command]) return MetadataWorker.Run();

// After a signal the servers take the time they need to stop; the library would end the process after two seconds.
return RunCommand.Make().Parse(args).Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null });
