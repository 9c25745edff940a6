using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>
/// A mount of one file system by a client that does on the wire what a 2.15 kernel client does in the captures: connect data, request
/// buffers, early cancels, lock cache and callbacks. It has no cache of names and attributes: every call asks the server, so a test sees what
/// the server says. Data written with <see cref="WriteBehindAsync"/> stays here until the lock is called back or <see cref="FlushAsync"/>.
/// <para>Failures of the server come as <see cref="RpcException"/> with the errno.</para>
/// </summary>
public sealed partial class ScriptedClient : ICallbackHandler, IAsyncDisposable
{
    private readonly LNetNode _lnet;
    private readonly RpcClient _rpc;
    private readonly string _clientUuid = Guid.NewGuid().ToString();
    private readonly Import _mgs;
    private readonly ConcurrentDictionary<int, ObjectServer> _osts = new();
    private readonly CancellationTokenSource _stopped = new();
    private Import? _mdt;
    private int _evictions;

    private ScriptedClient(ScriptedClientOptions options)
    {
        Options = options;
        _lnet = new LNetNode(
            new LNetOptions { LocalNid = options.Nid }, options.Transport, options.Time, options.Logging.CreateLogger<LNetNode>());
        var rpcOptions = new RpcClientOptions { Dial = (peer, ct) => _lnet.ConnectAsync(peer, options.Server, ct) };
        _rpc = new RpcClient(_lnet, rpcOptions, options.Time, options.Logging.CreateLogger<RpcClient>());
        _mgs = NewImport("MGS", TargetKind.Mgs, ImportOptions.MgsWanted);
    }

    public ScriptedClientOptions Options { get; }

    /// <summary>Whom the following requests are made for.</summary>
    public Caller Caller { get; set; } = Caller.Root;

    public LuFid Root { get; private set; }

    /// <summary>How often a server has forgotten this client.</summary>
    public int Evictions => Volatile.Read(ref _evictions);

    /// <summary>Indices of the OSTs the configuration log names, in order.</summary>
    public IReadOnlyList<int> Osts => [.. _osts.Keys.Order()];

    private Import Mdt => _mdt ?? throw new InvalidOperationException("the configuration log has named no MDT");

    /// <summary>Mounts: the whole walk of 04 section 10.</summary>
    public static async Task<ScriptedClient> MountAsync(ScriptedClientOptions options)
    {
        var client = new ScriptedClient(options);
        try
        {
            using var limit = client.Limit();
            await client._mgs.ConnectAsync(limit.Token);
            await client.FollowConfigurationAsync();
            await client.Mdt.ConnectAsync(limit.Token);
            await client.StatFsAsync();
            await Task.WhenAll(client._osts.Values.Select(ost => ost.Import.ConnectAsync(limit.Token)));
            await client.ReadRootAsync();
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Unmounts as 04 section 10.4: cancels, then disconnects.</summary>
    public async Task UnmountAsync()
    {
        await _stopped.CancelAsync();
        await CancelLocksAsync(held => held.Import == _mgs);
        foreach (var ost in _osts.Values)
        {
            await CancelLocksAsync(held => held.Import == ost.Import);
            await ost.Import.DisconnectAsync();
        }

        await Mdt.DisconnectAsync();
        await _mgs.DisconnectAsync();
        await DisposeAsync();
    }

    /// <summary>Vanishes without a word, as a client that lost power.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stopped.IsCancellationRequested)
        {
            await _stopped.CancelAsync();
        }

        await _rpc.DisposeAsync();
        await _lnet.DisposeAsync();
    }

    /// <summary>Waits until every target answers again; a ping that finds itself evicted fails, and the next one passes.</summary>
    public async Task ReconnectAsync()
    {
        using var limit = Limit();
        foreach (var import in (Import[])[_mgs, Mdt, .. _osts.Values.Select(ost => ost.Import)])
        {
            while (!await TryPingAsync(import, limit.Token))
            {
            }
        }
    }

    private static async Task<bool> TryPingAsync(Import import, CancellationToken ct)
    {
        try
        {
            await import.PingAsync(ct);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    private async Task ReadRootAsync()
    {
        using (var reply = await SendAsync(Mdt, new RpcCall(Opcode.MdsGetRoot, MdtBody.Size)))
        {
            Root = reply.Get<MdtBody>(1).Fid1;
        }

        var call = new RpcCall(Opcode.MdsGetattr, MdtBody.Size, 0) { ReplyBytes = 66264 };
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body);
        body.Fid1 = Root;
        body.Valid = (ObdMd)0x3100008081016fff;
        using var attributes = await SendAsync(Mdt, call);
        if ((attributes.Get<MdtBody>(1).Mode & FileType.Mask) != FileType.Directory)
        {
            throw new RpcException(Errno.ENOTDIR, message: "the root is no directory");
        }
    }

    /// <summary>Sends and waits; a negative status becomes an exception.</summary>
    private async Task<RpcReply> SendAsync(Import import, RpcCall call) => (await SendForStatusAsync(import, call)).ThrowIfFailed();

    private async Task<RpcReply> SendForStatusAsync(Import import, RpcCall call)
    {
        using var limit = Limit();
        return await import.SendAsync(call, limit.Token);
    }

    private CancellationTokenSource Limit() => new(Options.OperationLimit);

    private Import NewImport(string target, TargetKind kind, ObdConnectData wanted) => _rpc.CreateImport(new ImportOptions
    {
        TargetUuid = target,
        Kind = kind,
        Peer = new PeerId(Options.ServerNid, PeerId.LustrePid),
        ClientUuid = _clientUuid,
        Wanted = wanted,
        Callbacks = this,
        OnEvicted = OnEvicted,
    });

    private void OnEvicted(Import import)
    {
        Interlocked.Increment(ref _evictions);
        ForgetLocks(import);
        if (_osts.Values.FirstOrDefault(ost => ost.Import == import) is { } ost)
        {
            ost.Forget();
        }
    }
}
