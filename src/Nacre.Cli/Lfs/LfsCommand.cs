using System.CommandLine;

namespace Nacre.Cli.Lfs;

/// <summary>
/// <c>nacre lfs</c>: Lustre's user tool, as far as it is about layouts, space and names. Its options are read by themselves, not by the library of the other
/// commands, since their order means something and scripts write them in Lustre's way.
/// </summary>
internal static class LfsCommand
{
    private const int Failed = 1;
    private const int Misused = 2;

    private const string Help =
        """
        nacre lfs COMMAND ...: what is special about files on Lustre.

          setstripe [-c COUNT] [-S SIZE] [-i OST | -o OSTS] [-p POOL] PATH...    make files with a layout, or set a directory's default
          setstripe -E END [-c ...] [-E END [-c ...]]... PATH...                 the same with one part after the other, the last -E -1
          setstripe -d DIRECTORY...                                              delete a directory's default
          getstripe [-d] [-r] [-q] [-v] [-c] [-S] [-i] [-L] [-g] [-p] PATH...    layouts of files, defaults of directories
          getdirstripe DIRECTORY...                                              how directories are spread over metadata targets
          df [-h] [-i] [PATH]                                                    space, or inodes, of each target
          osts, mdts [PATH]                                                      the targets
          check servers|osts|mdts [PATH]                                         which of them answer
          path2fid PATH...                                                       the identity of files
          fid2path MOUNT FID...                                                  all names of a file
          getname [PATH]                                                         which file system is mounted there
          find DIRECTORY... [TEST...]                                            files by -name -type -size -blocks -mtime -atime -ctime -uid -user -gid
                                                                                 -group -links -perm -ost -pool -stripe-count -stripe-size -stripe-index
                                                                                 -component-count; ! negates; -maxdepth -mindepth -print0
        """;

    /// <summary>For the list of commands; the other method does the work.</summary>
    public static Command Create() => new("lfs", "Layouts, space and names of files on a mounted file system: 'nacre lfs help'.");

    public static int Run(IReadOnlyList<string> arguments)
    {
        // Lists can be long: not a system call a line.
        using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1 << 16);
        return Run(arguments, output, Console.Error);
    }

    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        if (arguments.Count == 0 || arguments[0] is "help" or "--help" or "-h" or "-?")
        {
            output.Write(Help + "\n");
            return arguments.Count == 0 ? Misused : 0;
        }

        try
        {
            return Dispatch(arguments[0], [.. arguments.Skip(1)], output, error) ? 0 : Failed;
        }
        catch (Exception e) when (e is LfsException or IOException or UnauthorizedAccessException)
        {
            output.Flush();
            error.WriteLine($"nacre lfs {arguments[0]}: {e.Message}");
            return Failed;
        }
    }

    private static bool Dispatch(string command, string[] arguments, TextWriter output, TextWriter error)
    {
        switch (command)
        {
            case "setstripe": SetStripe.Run(arguments); break;
            case "getstripe": GetStripe.Run(arguments, output); break;
            case "getdirstripe": Queries.GetDirectoryStripe(arguments, output); break;
            case "df": Df.Run(arguments, output); break;
            case "osts": Queries.ListTargets(arguments, mdts: false, output); break;
            case "mdts": Queries.ListTargets(arguments, mdts: true, output); break;
            case "check": Queries.Check(arguments, output); break;
            case "path2fid": Queries.PathToFid(arguments, output); break;
            case "fid2path": Queries.FidToPath(arguments, output); break;
            case "getname": Queries.GetName(arguments, output); break;
            case "find": return Find.Run(arguments, output, error);
            default: throw new LfsException("there is no such command: see 'nacre lfs help'");
        }

        return true;
    }
}
