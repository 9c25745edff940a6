using System.Globalization;
using Microsoft.Extensions.Logging;
using Nacre.Client.Vfs;
using Nacre.Fuse.Device;
using Nacre.Fuse.Mounting;
using Nacre.Fuse.Session;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse;

/// <summary>
/// A file system mounted through FUSE. Root mounts by itself, anybody else (and <see cref="FuseOptions.AutoUnmount"/>)
/// through
/// <c>fusermount3</c>.
/// </summary>
public sealed class FuseMount : IAsyncDisposable
{
    private static readonly TimeSpan CutOffTime = TimeSpan.FromSeconds(10);

    private readonly FuseSession _session;
    private readonly int _helperSocket;
    private readonly ILogger _log;
    private int _disposed;

    private FuseMount(FuseSession session, string mountPoint, int helperSocket, ILogger log)
    {
        _session = session;
        MountPoint = mountPoint;
        _helperSocket = helperSocket;
        _log = log;
    }

    /// <summary>Full path.</summary>
    public string MountPoint { get; }

    /// <summary>Number of the mounted device, "0:53" for instance; empty when it could not be found.</summary>
    public string DeviceNumber { get; private set; } = "";

    /// <summary>
    /// Completes when the file system is no longer mounted, whoever unmounted it, and all its files and nodes are given
    /// back.
    /// </summary>
    public Task Ended => _session.Ended;

    /// <summary>Nodes the kernel knows.</summary>
    internal int NodeCount => _session.Nodes.Count;

    /// <summary>False once the kernel was asked to give up nodes and did not know how.</summary>
    internal bool CanBoundNodes => _session.CanBoundNodes;

    /// <param name="source">What the mount table shows as the device.</param>
    /// <exception cref="FuseMountException">It could not be mounted; says why in one line.</exception>
    public static async Task<FuseMount> MountAsync(
        IVfs vfs, string source, string mountPoint, FuseOptions options, ILogger log, CancellationToken cancellationToken)
    {
        mountPoint = Path.GetFullPath(mountPoint);
        Check(options);
        bool byItself = LinuxCalls.EffectiveUser() == 0 && !options.AutoUnmount;
        var (device, socket) = byItself
            ? (KernelMount.Mount(source, mountPoint, options), -1)
            : Fusermount.Mount(source, mountPoint, options);
        var mount = new FuseMount(new FuseSession(vfs, device, options, log), mountPoint, socket, log);
        try
        {
            mount._session.Start();
            await mount._session.Initialised.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await mount.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        mount.DeviceNumber = MountTable.Find(mountPoint)?.Device ?? "";
        mount.SetReadAhead(options.ReadAhead);
        Log.Mounted(log, source, mountPoint, mount._session.Minor, options.ReaderThreads);
        return mount;
    }

    /// <summary>Gives what is mounted there other flags, as <c>mount -o remount</c> does. What the process that serves it does stays as it is.</summary>
    /// <param name="flags">MS_* of mount(2), all that are to hold from now on.</param>
    /// <exception cref="FuseMountException">It is in use, or not allowed.</exception>
    public static void Remount(string mountPoint, int flags)
    {
        int errno = KernelMount.Remount(mountPoint, flags);
        if (errno == 0) return;
        throw new FuseMountException(errno switch
        {
            Errno.EBUSY => $"{mountPoint} has files that are open for writing",
            Errno.EPERM => "only root can remount",
            _ => $"{mountPoint} cannot be remounted: {Errno.Name(errno)}",
        });
    }

    /// <summary>Unmounts, if nobody uses it.</summary>
    /// <exception cref="FuseMountException">It is in use, or not allowed.</exception>
    public static void Unmount(string mountPoint, bool detach)
    {
        if (LinuxCalls.EffectiveUser() != 0)
        {
            string said = Fusermount.Unmount(mountPoint, detach);
            if (said.Length > 0) throw new FuseMountException(said);
            return;
        }

        int errno = KernelMount.Unmount(mountPoint, detach);
        if (errno == 0) return;
        throw new FuseMountException(errno switch
        {
            Errno.EBUSY => $"{mountPoint} is in use",
            Errno.EINVAL => $"nothing is mounted at {mountPoint}",
            Errno.ENOENT => $"there is no {mountPoint}",
            _ => $"{mountPoint} cannot be unmounted: {Errno.Name(errno)}",
        });
    }

    /// <summary>
    /// Detaches a mount and ends its connection to the kernel: whatever programs wait for in it fails at once, and what is not written back is lost. The
    /// only way out when the process that served it was killed while the kernel dropped a name for it: that thread waits for the folder, whose user waits for
    /// an answer of the process that is gone, and as long as the thread is there the kernel believes in the connection.
    /// </summary>
    /// <param name="device">Its number, "0:53" for instance.</param>
    /// <exception cref="FuseMountException">Not allowed.</exception>
    public static void CutOff(string mountPoint, string device)
    {
        if (LinuxCalls.EffectiveUser() == 0)
        {
            KernelMount.ForceUnmount(mountPoint);
            return;
        }

        KernelMount.AbortConnection(device);
        Unmount(mountPoint, detach: true);
    }

    /// <summary>
    /// Unmounts. Where it is in use it is detached, which lets nobody new in, and those who use it have
    /// <paramref name="patience"/> before it is
    /// cut off under them.
    /// </summary>
    public async Task UnmountAsync(TimeSpan patience)
    {
        if (Ended.IsCompleted) return;
        try
        {
            await Task.Run(() => Unmount(MountPoint, detach: false)).ConfigureAwait(false);
        }
        catch (FuseMountException)
        {
            Log.Busy(_log, MountPoint);
            await DetachAsync().ConfigureAwait(false);
        }

        await Ended.WaitAsync(patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Unmounts and cuts off whoever still uses it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        if (!Ended.IsCompleted) await CutOffAsync().ConfigureAwait(false);
        await Ended.WaitAsync(CutOffTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Its readers cannot be woken in the rare case that remains; the end of the process does it.
        if (Ended.IsCompleted) _session.Dispose();
        if (_helperSocket >= 0) _ = LinuxCalls.Close(_helperSocket);
        Log.Unmounted(_log, MountPoint);
    }

    private async Task DetachAsync()
    {
        try
        {
            await Task.Run(() => Unmount(MountPoint, detach: true)).ConfigureAwait(false);
        }
        catch (FuseMountException)
        {
            // Somebody else unmounted it.
        }
    }

    /// <summary>
    /// Ends all requests with an error, then the mount: by umount -f, or where that is not allowed or too late by the
    /// connection's file.
    /// </summary>
    private async Task CutOffAsync()
    {
        // Only what is ours: by now something else may be mounted there.
        if (DeviceNumber.Length > 0 && MountTable.Find(MountPoint)?.Device == DeviceNumber)
        {
            await Task.Run(() => KernelMount.ForceUnmount(MountPoint)).ConfigureAwait(false);
        }

        if (Ended.IsCompleted) return;
        try
        {
            string minor = DeviceNumber[(DeviceNumber.IndexOf(':', StringComparison.Ordinal) + 1)..];
            await File.WriteAllTextAsync($"/sys/fs/fuse/connections/{minor}/abort", "1").ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone already, or fusectl is not mounted.
        }

        await DetachAsync().ConfigureAwait(false);
    }

    private static void Check(FuseOptions options)
    {
        bool isPages = options.MaxTransfer is >= 4096 and <= 1 << 20 && options.MaxTransfer % 4096 == 0;
        if (!isPages) throw new FuseMountException($"{options.MaxTransfer} bytes a transfer: pages of 4096 bytes up to 1 MiB are needed");
        if (options.MaxBackground is < 1 or > 4096) throw new FuseMountException($"{options.MaxBackground} background requests: 1 to 4096 are needed");
        if (options.MaxNodes < 1) throw new FuseMountException($"{options.MaxNodes} nodes: at least 1 is needed");
    }

    /// <summary>
    /// The kernel takes no more than 128 KiB from INIT; more is set beside it, by root, and is only faster.
    /// </summary>
    private void SetReadAhead(int bytes)
    {
        try
        {
            File.WriteAllText($"/sys/class/bdi/{DeviceNumber}/read_ahead_kb", (bytes / 1024).ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NoReadAhead(_log, e.Message);
        }
    }
}
