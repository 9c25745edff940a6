using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Nacre.Bench.Client;

/// <summary>The operating-system calls .NET has no allocation-free form of.</summary>
internal static partial class LinuxCalls
{
    public const short PollIn = 0x1;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    private const int Eintr = 4;

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>Waits until one of the descriptors is ready; 0 after <paramref name="milliseconds"/> of silence.</summary>
    public static unsafe int Poll(Span<PollDescriptor> descriptors, int milliseconds)
    {
        fixed (PollDescriptor* first = descriptors)
        {
            while (true)
            {
                var ready = PollRaw(first, (nuint)descriptors.Length, milliseconds);
                if (ready >= 0) return ready;
                var error = Marshal.GetLastPInvokeError();
                if (error != Eintr) throw new Win32Exception(error);
            }
        }
    }

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Signal(int process, int signal) => KillRaw(process, signal) == 0;

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int PollRaw(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int KillRaw(int process, int signal);
}
