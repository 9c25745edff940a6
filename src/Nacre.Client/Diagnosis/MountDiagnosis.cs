using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nacre.Client.Mdc;
using Nacre.Client.Mgc;
using Nacre.Client.Osc;
using Nacre.Client.Targets;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Diagnosis;

/// <summary>
/// Walks the way of a mount (04 section 10) step by step, as <c>nacre diagnose</c> shows it: address, port, LNet, management service, configuration, each
/// target, clocks, versions. It ends at the first step without which the next makes no sense. Nothing is changed on the servers, and it takes
/// <see cref="Patience"/> a step at most.
/// </summary>
public sealed class MountDiagnosis
{
    /// <summary>Time one server has for one answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Difference of clocks that is noise.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);

    private readonly MountOptions _options;
    private readonly Action<Finding> _report;
    private readonly List<ConfiguredTarget> _targets = [];

    private MountDiagnosis(MountOptions options, Action<Finding> report)
    {
        (_options, _report) = (options with { MountTimeout = Patience }, report);
    }

    /// <param name="report">Told of each finding as it is made.</param>
    /// <returns>The worst verdict.</returns>
    public static async Task<Verdict> RunAsync(MountOptions options, Action<Finding> report, CancellationToken ct = default)
    {
        var worst = Verdict.Ok;
        var diagnosis = new MountDiagnosis(options, finding =>
        {
            worst = (Verdict)Math.Max((int)worst, (int)finding.Verdict);
            report(finding);
        });
        await diagnosis.WalkAsync(ct).ConfigureAwait(false);
        return worst;
    }

    private async Task WalkAsync(CancellationToken ct)
    {
        if (FindNetwork() is not { } network)
        {
            return;
        }

        await using var ended = network.ConfigureAwait(false);
        var reachable = await CheckPortsAsync(ct).ConfigureAwait(false);
        if (reachable.Count == 0 || !await CheckLNetAsync(network, reachable, ct).ConfigureAwait(false))
        {
            return;
        }

        if (await CheckConfigurationAsync(network, ct).ConfigureAwait(false))
        {
            await CheckTargetsAsync(network, ct).ConfigureAwait(false);
        }
    }

    private ClientNetwork? FindNetwork()
    {
        var server = _options.ManagementNids[0].Address.ToString();
        try
        {
            var network = new ClientNetwork(_options);
            _report(new Finding("address", server, Verdict.Ok, $"this machine reaches {server} as {network.LocalNid}"));
            return network;
        }
        catch (MountException failure)
        {
            _report(new Finding("address", server, Verdict.Failed, failure.Message, $"see 'ip route get {server}': an interface is down, or a route is missing"));
            return null;
        }
    }

    /// <summary>The management nodes whose port answers.</summary>
    private async Task<List<Nid>> CheckPortsAsync(CancellationToken ct)
    {
        var reachable = new List<Nid>();
        foreach (var nid in _options.ManagementNids)
        {
            var at = new IPEndPoint(nid.Address, _options.Port);
            var finding = await CheckPortAsync(at, ct).ConfigureAwait(false);
            // One node of several may be down: that is what the others are for.
            var isLast = nid == _options.ManagementNids[^1] && reachable.Count == 0;
            _report(finding.Verdict == Verdict.Failed && !isLast ? finding with { Verdict = Verdict.Warning } : finding);
            if (finding.Verdict == Verdict.Ok)
            {
                reachable.Add(nid);
            }
        }

        return reachable;
    }

    private async Task<Finding> CheckPortAsync(IPEndPoint at, CancellationToken ct)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(Patience, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await socket.ConnectAsync(at, either.Token).ConfigureAwait(false);
            return new Finding("port", at.ToString(), Verdict.Ok, $"something listens on {at}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Finding(
                "port", at.ToString(), Verdict.Failed, $"{at} does not answer at all", "the machine is off, the address is wrong, or a firewall drops the packets");
        }
        catch (SocketException failure)
        {
            var isRefused = failure.SocketErrorCode == SocketError.ConnectionRefused;
            return new Finding(
                "port",
                at.ToString(),
                Verdict.Failed,
                isRefused ? $"nothing listens on {at}" : $"{at} cannot be reached: {failure.Message}",
                isRefused
                    ? "start the server there ('nacre up', or the node's service); if it listens on another port than 988, say so with -o port=N"
                    : "look at the network between the two: ping, routes, firewalls");
        }
    }

    /// <summary>True when one node speaks LNet under the address it is mounted by.</summary>
    private async Task<bool> CheckLNetAsync(ClientNetwork network, List<Nid> nodes, CancellationToken ct)
    {
        var speaks = false;
        foreach (var nid in nodes)
        {
            try
            {
                await network.PingAsync(new PeerId(nid, PeerId.LustrePid), Patience, ct).ConfigureAwait(false);
                _report(new Finding("lnet", nid.ToString(), Verdict.Ok, $"{nid} answers an LNet ping"));
                speaks = true;
            }
            catch (Exception failure) when (failure is IOException or SocketException or InvalidDataException or TimeoutException or PeerUnreachableException)
            {
                _report(new Finding(
                    "lnet",
                    nid.ToString(),
                    Verdict.Failed,
                    $"what listens there is no LNet node {nid}: {failure.Message}",
                    "another program has the port, the server has another NID ('nacre status', 'lctl list_nids'), or it wants callers from ports below 1024: run as root"));
            }
        }

        return speaks;
    }

    /// <summary>Management service and configuration log: true when the targets are known.</summary>
    private async Task<bool> CheckConfigurationAsync(ClientNetwork network, CancellationToken ct)
    {
        var mgc = new ManagementClient(network, _options, (configuration, _) =>
        {
            _targets.AddRange(configuration.Targets);
            return ValueTask.CompletedTask;
        });
        await using var ended = mgc.ConfigureAwait(false);
        var steps = new MountReport(_options, network);
        var where = string.Join(',', _options.ManagementNids);
        var connected = await TryAsync("management", where, $"the management service (MGS) at {where} takes this client", async limit =>
            await steps.RunAsync(steps.ConnectAsync(mgc.Import, limit), MountStep.Management, limit, ct).ConfigureAwait(false),
            "the node runs, its MGS does not: look at the server's log", ct).ConfigureAwait(false);
        if (!connected)
        {
            return false;
        }

        CheckVersion("MGS", mgc.Import);
        return await TryAsync("configuration", _options.FileSystem, $"the configuration of {_options.FileSystem} is there", async limit =>
            await steps.RunAsync(mgc.ReadAsync(limit).AsTask(), MountStep.Configuration, limit, ct).ConfigureAwait(false),
            "check the name behind ':/': 'nacre status' on the server lists the file systems it has", ct).ConfigureAwait(false);
    }

    private async Task CheckTargetsAsync(ClientNetwork network, CancellationToken ct)
    {
        var data = new DataClient(new DataOptions { Checksums = _options.Checksums, Time = _options.Time }, _options.Logging);
        await using var ended = data.ConfigureAwait(false);
        var uuid = Guid.NewGuid().ToString();
        foreach (var target in _targets)
        {
            if (!target.IsActive)
            {
                _report(new Finding(
                    "target", target.Uuid, Verdict.Warning, $"{target.Uuid} is set inactive", "files with objects there give EIO until it is activated again"));
                continue;
            }

            await CheckTargetAsync(network, target, ImportOf(target, uuid, data.Wanted), ct).ConfigureAwait(false);
        }
    }

    private ImportOptions ImportOf(ConfiguredTarget target, string clientUuid, ObdConnectData forOst)
    {
        var peers = target.Nodes.Select(static nid => new PeerId(nid, PeerId.LustrePid)).ToList();
        return new ImportOptions
        {
            TargetUuid = target.Uuid,
            Kind = target.IsMdt ? TargetKind.Mdt : TargetKind.Ost,
            Peer = peers[0],
            FailoverPeers = peers[1..],
            ClientUuid = clientUuid,
            Wanted = target.IsMdt ? MetadataConnect.Wanted(_options) : forOst,
        };
    }

    private async Task CheckTargetAsync(ClientNetwork network, ConfiguredTarget target, ImportOptions options, CancellationToken ct)
    {
        var import = network.Rpc.CreateImport(options);
        await using var ended = import.ConfigureAwait(false);
        var steps = new MountReport(_options, network);
        var nodes = string.Join(',', target.Nodes);
        var connected = await TryAsync("target", target.Uuid, $"{target.Uuid} at {nodes} takes this client", async limit =>
            await steps.RunAsync(steps.ConnectAsync(import, limit), MountStep.Metadata, limit, ct).ConfigureAwait(false),
            $"the address {nodes} is what the servers tell all clients: it has to be reachable from here, and the target started there", ct).ConfigureAwait(false);
        if (!connected)
        {
            return;
        }

        CheckVersion(target.Uuid, import);
        if (target is { IsMdt: true, Index: 0 })
        {
            await CheckClockAsync(import, ct).ConfigureAwait(false);
        }

        await TryDisconnectAsync(import, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Servers store the times clients tell them and show no clock of their own, so only one direction can be seen: a root directory changed in the
    /// future.
    /// </summary>
    private async Task CheckClockAsync(Import import, CancellationToken ct)
    {
        var call = new RpcCall(Opcode.MdsGetattr, MdtBody.Size, 0);
        call.Get<MdtBody>(1).Fid1 = LuFid.Root;
        call.Get<MdtBody>(1).Valid = ObdMd.FlId | ObdMd.FlType | ObdMd.FlMtime | ObdMd.FlCtime;
        try
        {
            using var reply = await import.SendAsync(call, ct).AsTask().WaitAsync(Patience, _options.Time, ct).ConfigureAwait(false);
            if (reply.Status == 0 && reply.BufferLength(1) >= MdtBody.Size)
            {
                var body = reply.Get<MdtBody>(1);
                _report(JudgeClock(TimeSpan.FromSeconds(Math.Max(body.Mtime, body.Ctime) - _options.Time.GetUtcNow().ToUnixTimeSeconds())));
            }
        }
        catch (Exception failure) when (failure is ErrnoException or TimeoutException)
        {
            _report(new Finding("clock", _options.FileSystem, Verdict.Warning, $"the root directory does not answer: {failure.Message}", "try again, and look at the server's log"));
        }
    }

    private Finding JudgeClock(TimeSpan ahead) => ahead <= ClockTolerance
        ? new Finding("clock", _options.FileSystem, Verdict.Ok, "the root directory was not changed in the future")
        : new Finding(
            "clock",
            _options.FileSystem,
            Verdict.Warning,
            string.Create(CultureInfo.InvariantCulture, $"the root directory was changed {ahead.TotalSeconds:F0} s in the future of this machine's clock"),
            "set this machine's clock, or that of the client that changed it (chrony, systemd-timesyncd): make and backup tools go by these times");

    private void CheckVersion(string target, Import import)
    {
        var data = import.ConnectData;
        if (!data.Has(ConnectFlags.Version))
        {
            return;
        }

        var (major, minor, patch) = (data.Version >> 24, (data.Version >> 16) & 0xff, (data.Version >> 8) & 0xff);
        var isKnown = data.Version >= 0x020C0000 && major == 2;
        _report(new Finding(
            "version",
            target,
            isKnown ? Verdict.Ok : Verdict.Warning,
            $"{target} speaks as Lustre {major}.{minor}.{patch}",
            isKnown ? "" : "this client was made for servers of Lustre 2.12 and later"));
    }

    private static async Task TryDisconnectAsync(Import import, CancellationToken ct)
    {
        try
        {
            await import.DisconnectAsync(ct).AsTask().WaitAsync(Patience, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ErrnoException or TimeoutException)
        {
            // It was there a moment ago; the server forgets this client by itself.
        }
    }

    private async Task<bool> TryAsync(string step, string subject, string good, Func<CancellationToken, Task> action, string advice, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await action(either.Token).ConfigureAwait(false);
            _report(new Finding(step, subject, Verdict.Ok, good));
            return true;
        }
        catch (MountException failure)
        {
            _report(new Finding(step, subject, Verdict.Failed, failure.Message, advice));
            return false;
        }
    }
}
