using System.Runtime.InteropServices;

namespace Nacre.Cli;

/// <summary>
/// How many files and sockets this process may have open (RLIMIT_NOFILE, getrlimit(2)). Looked at before anything else: with too few
/// the runtime cannot even load what it would need to print an exception. So this class loads nothing but itself and libc.
/// </summary>
internal static unsafe partial class DescriptorLimit
{
    /// <summary>The runtime with the assemblies of any command.</summary>
    private const long FewestForAnyCommand = 128;

    private const int NoFile = 7;
    private const int StandardError = 2;

    /// <summary>Raises the soft limit to the hard one. False, with a line on standard error, when it stays too low to go on.</summary>
    public static bool TryRaise()
    {
        if (Raise() >= FewestForAnyCommand) return true;
        ReadOnlySpan<byte> line = "nacre: this process may have too few files open: raise the limit (ulimit -n 65536)\n"u8;
        fixed (byte* text = line) _ = Write(StandardError, text, (nuint)line.Length);
        return false;
    }

    /// <summary>The limit in force, after it was raised as far as this process may; all there are when it cannot be told.</summary>
    public static int Raise()
    {
        Limit limit;
        if (GetLimit(NoFile, &limit) != 0) return int.MaxValue;
        if (limit.Soft < limit.Hard)
        {
            var raised = new Limit { Soft = limit.Hard, Hard = limit.Hard };
            if (SetLimit(NoFile, &raised) == 0) limit = raised;
        }

        return (int)Math.Min(limit.Soft, int.MaxValue);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte* bytes, nuint count);

    /// <summary><c>struct rlimit</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
