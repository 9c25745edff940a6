using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Nacre.EndToEnd.Posix;

/// <summary>
/// Acts as somebody else. Linux keeps identities of threads, and only the C library keeps those of a process alike: the bare system calls change a
/// thread made for the purpose, which ends with the action.
/// </summary>
internal sealed partial record User(uint Uid, uint Gid, params uint[] Groups)
{
    private const long SetGroups = 116, SetUids = 117, SetGids = 119;

    /// <summary>Nobody in particular, and another one.</summary>
    public static readonly User Anna = new(2001, 3001), Bert = new(2002, 3002);

    public T Does<T>(Func<T> action)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Become();
                result = action();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    private void Become()
    {
        Sys.Check(Sys.Result(syscall(SetGroups, Groups.Length, Groups, 0)));
        Sys.Check(Sys.Result(syscall(SetGids, Gid, Gid, Gid)));
        Sys.Check(Sys.Result(syscall(SetUids, Uid, Uid, Uid)));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, long count, uint[] groups, long unused);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, long real, long effective, long saved);
}
