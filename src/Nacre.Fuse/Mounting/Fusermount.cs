using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Nacre.Fuse.Device;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Mounting;

/// <summary>
/// <c>fusermount3</c>, which is setuid root and mounts for those who may not. It hands the opened <c>/dev/fuse</c> back over
/// a
/// socket whose number it finds in <c>_FUSE_COMMFD</c>; with <c>auto_unmount</c> it stays and unmounts when that socket
/// closes.
/// </summary>
internal static unsafe class Fusermount
{
    private const string Program = "fusermount3";
    private const string SocketVariable = "_FUSE_COMMFD";
    private const int SocketLevel = 1, PassRights = 1;

    /// <summary>Bytes of a control message with one descriptor: <c>struct cmsghdr</c>, the descriptor, padding.</summary>
    private const int ControlLength = 24;

    /// <exception cref="FuseMountException">It cannot be mounted there; says why.</exception>
    public static (FuseDevice Device, int Socket) Mount(string source, string mountPoint, FuseOptions options)
    {
        var sockets = stackalloc int[2];
        if (LinuxCalls.SocketPair(LinuxCalls.UnixSockets, LinuxCalls.StreamSocket | LinuxCalls.SocketCloseOnExec, 0, sockets) != 0)
        {
            throw new FuseMountException($"no socket for {Program}: {Errno.Name(Marshal.GetLastPInvokeError())}");
        }

        // Only the end that is fusermount3's goes to the child.
        _ = LinuxCalls.FileControl(sockets[0], LinuxCalls.SetDescriptorFlags, 0);
        Process process;
        try
        {
            process = Start(sockets[0], source, mountPoint, options);
        }
        catch (FuseMountException)
        {
            _ = LinuxCalls.Close(sockets[1]);
            throw;
        }
        finally
        {
            _ = LinuxCalls.Close(sockets[0]);
        }

        int fd = Receive(sockets[1]);
        if (fd >= 0) return (new FuseDevice(fd), sockets[1]);
        _ = LinuxCalls.Close(sockets[1]);
        string said = process.StandardError.ReadToEnd().Trim();
        throw new FuseMountException(said.Length > 0 ? said.ReplaceLineEndings("; ") : $"{Program} could not mount {mountPoint}");
    }

    /// <returns>What it says, empty when it was done.</returns>
    public static string Unmount(string mountPoint, bool detach)
    {
        string[] arguments = detach ? ["-u", "-z", "--", mountPoint] : ["-u", "--", mountPoint];
        using var process = Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true });
        string said = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : said.Length > 0 ? said.ReplaceLineEndings("; ") : $"{Program} failed";
    }

    private static Process Start(int socket, string source, string mountPoint, FuseOptions options)
    {
        var start = new ProcessStartInfo(Program, ["-o", Join(source, options), "--", mountPoint]) { RedirectStandardError = true };
        start.Environment[SocketVariable] = socket.ToString(CultureInfo.InvariantCulture);
        return Start(start);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new FuseMountException($"only root mounts without {Program}, which is not installed (package fuse3)");
        }
    }

    private static string Join(string source, FuseOptions options)
    {
        // A comma separates options: fusermount3 takes a backslash before one.
        var all = new List<string> { "fsname=" + source.Replace(",", "\\,", StringComparison.Ordinal), "subtype=nacre", "default_permissions" };
        all.Add(string.Create(CultureInfo.InvariantCulture, $"max_read={options.MaxTransfer}"));
        all.AddRange(MountFlag.Names(options.MountFlags & ~LinuxCalls.MountReadOnly));
        if (options.ReadOnly) all.Add("ro");
        if (options.AllowOther) all.Add("allow_other");
        if (options.AutoUnmount) all.Add("auto_unmount");
        return string.Join(',', all);
    }

    /// <returns>The descriptor, or -1 when the other side closed without one.</returns>
    private static int Receive(int socket)
    {
        byte one;
        var vector = new LinuxCalls.IoVector((nint)(&one), 1);
        byte* control = stackalloc byte[ControlLength];
        var message = new LinuxCalls.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlLength };
        nint received;
        do
        {
            received = LinuxCalls.ReceiveMessage(socket, &message, LinuxCalls.ReceiveCloseOnExec);
        }
        while (received < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);

        bool hasDescriptor = received > 0 && message.ControlLength >= 20
            && *(int*)(control + 8) == SocketLevel && *(int*)(control + 12) == PassRights;
        return hasDescriptor ? *(int*)(control + 16) : -1;
    }
}
