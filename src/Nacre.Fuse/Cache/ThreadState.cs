using Nacre.Fuse.Device;

namespace Nacre.Fuse.Cache;

/// <summary>What <c>/proc</c> says of a thread of this process.</summary>
internal static class ThreadState
{
    /// <summary>
    /// Whether the thread sleeps, in a system call that waits for something. One that runs, or would if it had a processor, does not: that is what tells a call
    /// that is blocked from one that is only slow.
    /// </summary>
    /// <param name="thread">As <see cref="LinuxCalls.ThreadId"/> told it of itself.</param>
    public static bool Sleeps(int thread)
    {
        try
        {
            byte[] stat = File.ReadAllBytes($"/proc/self/task/{thread}/stat");
            // "tid (name) state ...", and the name may hold anything.
            int end = stat.AsSpan().LastIndexOf(") "u8);
            return end >= 0 && end + 2 < stat.Length && stat[end + 2] is (byte)'D' or (byte)'S';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
