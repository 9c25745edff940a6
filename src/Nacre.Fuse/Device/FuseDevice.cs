using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Device;

/// <summary>
/// An open <c>/dev/fuse</c>. Requests are answered on the descriptor they were read from, notifications on any. Each reader
/// thread has
/// its own (FUSE_DEV_IOC_CLONE), so that the kernel keeps the requests under way of each apart and they do not contend for
/// its lock.
/// </summary>
internal sealed unsafe class FuseDevice : IDisposable
{
    private const string Path = "/dev/fuse";
    private int _fd;

    public FuseDevice(int fd) => _fd = fd;

    public int Descriptor => _fd;

    /// <exception cref="FuseMountException">No FUSE on this machine, or no access to it.</exception>
    public static FuseDevice Open()
    {
        int fd = LinuxCalls.Open(Path, OpenFlagsOfDevice);
        if (fd >= 0) return new FuseDevice(fd);
        int errno = Marshal.GetLastPInvokeError();
        throw new FuseMountException(errno switch
        {
            Errno.ENOENT or Errno.ENODEV or Errno.ENXIO => $"this machine has no {Path}: load the kernel module (modprobe fuse)",
            Errno.EACCES or Errno.EPERM => $"no access to {Path}",
            _ => $"{Path} cannot be opened: {Errno.Name(errno)}",
        });
    }

    /// <summary>Another descriptor of the same mount; null where the kernel does not want to.</summary>
    public FuseDevice? Clone()
    {
        int fd = LinuxCalls.Open(Path, OpenFlagsOfDevice);
        if (fd < 0) return null;
        uint original = (uint)_fd;
        if (LinuxCalls.IoControl(fd, LinuxCalls.CloneDevice, &original) == 0) return new FuseDevice(fd);
        _ = LinuxCalls.Close(fd);
        return null;
    }

    /// <summary>Waits for a request.</summary>
    /// <returns>Its length, or a negative errno.</returns>
    public int Read(byte* buffer, int length)
    {
        nint read = LinuxCalls.Read(_fd, buffer, length);
        return read >= 0 ? (int)read : -Marshal.GetLastPInvokeError();
    }

    /// <summary>One answer or notification: always all or nothing.</summary>
    /// <returns>0 or a positive errno.</returns>
    public int Write(LinuxCalls.IoVector* vectors, int count)
    {
        while (true)
        {
            if (LinuxCalls.WriteVectors(_fd, vectors, count) >= 0) return 0;
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR) return errno;
        }
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0) _ = LinuxCalls.Close(fd);
    }

    private const int OpenFlagsOfDevice = Protocol.OpenFlags.ReadWrite | Protocol.OpenFlags.CloseOnExec;
}
