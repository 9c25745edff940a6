using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Paths;

/// <summary>Where results become exceptions: the message says what was tried on which path.</summary>
internal static class PathErrors
{
    public static ErrnoException Of(string operation, string path, int errno) => new(errno, $"{operation} {path}: {Errno.Name(errno)}");

    /// <exception cref="ErrnoException">The operation failed.</exception>
    public static T OrThrow<T>(this Outcome<T> outcome, string operation, string path) =>
        outcome.IsOk ? outcome.Value : throw Of(operation, path, outcome.Errno);
}
