using System.Net.Sockets;
using Nacre.Client.Targets;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>How far a mount has come.</summary>
internal enum MountStep
{
    Management,
    Configuration,
    Metadata,
    Root,
}

/// <summary>Runs the steps of a mount and puts their failures into words.</summary>
internal sealed class MountReport(MountOptions options, ClientNetwork network)
{
    /// <summary>
    /// Connects, or fails as soon as every node the target may be on has been tried in vain: whoever types a mount command wants to know at once.
    /// </summary>
    public async Task ConnectAsync(Import import, CancellationToken limit)
    {
        var connected = import.ConnectAsync(limit);
        var hopeless = import.WhenAllPeersFailedAsync(limit);
        if (await Task.WhenAny(connected, hopeless).ConfigureAwait(false) == hopeless && !connected.IsCompletedSuccessfully)
        {
            await hopeless.ConfigureAwait(false);
            throw Unreachable(import);
        }

        await connected.ConfigureAwait(false);
    }

    /// <exception cref="MountException">The step failed or took too long.</exception>
    public async Task RunAsync(Task step, MountStep what, CancellationToken limit, CancellationToken ct)
    {
        try
        {
            await step.ConfigureAwait(false);
        }
        catch (ErrnoException failure) when (failure is not MountException)
        {
            ct.ThrowIfCancellationRequested();
            throw Explain(what, failure, limit.IsCancellationRequested);
        }
        catch (OperationCanceledException failure) when (!ct.IsCancellationRequested)
        {
            throw TooSlow(what, failure);
        }
    }

    private MountException Unreachable(Import import)
    {
        var peer = import.Options.Peer;
        var at = network.EndPointOf(peer);
        return network.FailureOf(peer) switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } refused =>
                new MountException(Errno.EIO, $"nothing listens on {at}", refused),
            SocketException { SocketErrorCode: SocketError.AccessDenied } denied =>
                new MountException(Errno.EACCES, "the servers' kernels want callers from ports below 1024, which takes root", denied),
            SocketException unreachable => new MountException(Errno.EIO, $"{at} cannot be reached: {unreachable.Message}", unreachable),
            { } strange => new MountException(Errno.EIO, $"what listens on {at} is no LNet node {peer.Nid}: {strange.Message}", strange),
            null => Refused(import, at.ToString()),
        };
    }

    private static MountException Refused(Import import, string at) => import.LastConnectErrno switch
    {
        Errno.ENODEV when import.Options.Kind == TargetKind.Mgs => new MountException(Errno.ENODEV, $"{at} has no management service (MGS)"),
        Errno.ENODEV => new MountException(Errno.ENODEV, $"{at} does not serve {import.Options.TargetUuid} now"),
        Errno.EACCES => new MountException(Errno.EACCES, $"{at} refuses this client"),
        Errno.ETIMEDOUT => new MountException(Errno.ETIMEDOUT, $"{at} speaks LNet but does not answer for {import.Options.TargetUuid}"),
        var errno => new MountException(errno == 0 ? Errno.EIO : errno, $"{at} refuses {import.Options.TargetUuid}: {Errno.Name(errno)}"),
    };

    private MountException Explain(MountStep step, ErrnoException failure, bool late) => step switch
    {
        _ when late => TooSlow(step, failure),
        MountStep.Configuration when failure.Errno == Errno.ENOENT =>
            new MountException(Errno.ENOENT, $"no file system named {options.FileSystem} at {ManagementNode}", failure),
        MountStep.Configuration =>
            new MountException(failure.Errno, $"{options.FileSystem} cannot be mounted: {failure.Message}", failure),
        MountStep.Root when failure.Errno is Errno.ENOENT or Errno.ENOTDIR && options.SubDirectory.Length > 0 =>
            new MountException(failure.Errno, $"there is no directory {options.SubDirectory} in {options.FileSystem}", failure),
        _ => new MountException(failure.Errno, $"the server of {options.FileSystem} refuses the mount: {failure.Message}", failure),
    };

    private MountException TooSlow(MountStep step, Exception cause)
    {
        var who = step switch
        {
            MountStep.Management => $"the management service at {ManagementNode}",
            MountStep.Configuration => $"the configuration of {options.FileSystem} at {ManagementNode}",
            _ => $"the metadata server of {options.FileSystem}",
        };
        return new MountException(Errno.ETIMEDOUT, $"{who} did not answer within {options.MountTimeout.TotalSeconds:0.#} s", cause);
    }

    private Nid ManagementNode => options.ManagementNids[0];
}
