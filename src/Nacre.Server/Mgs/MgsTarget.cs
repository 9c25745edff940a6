using Microsoft.Extensions.Logging;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>
/// The management target of a node (04): the configuration logs of its file systems, and the locks by which mounted clients
/// learn that a log has grown. It takes no part in recovery.
/// </summary>
public sealed partial class MgsTarget : IRpcTarget, ILdlmHost, IDisposable
{
    /// <summary>What every MGS connection is granted of what it asks for (04 section 2.1): no barriers, no imperative recovery.</summary>
    private const ConnectFlags Granted =
        ConnectFlags.Version | ConnectFlags.At | ConnectFlags.Full20 | ConnectFlags.BulkMbits | ConnectFlags.Flags2;

    private const ConnectFlags2 Granted2 = ConnectFlags2.RepMbits;

    /// <summary>Time for clients to answer that a configuration log has changed; far above what one that lives needs.</summary>
    private static readonly TimeSpan RevocationPatience = TimeSpan.FromSeconds(5);

    private readonly RpcOperationTable _operations;
    private readonly ConfigLogStore _logs;
    private readonly LdlmNamespace _locks;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<Export, string> _evict;

    /// <summary>The lock namespace, for diagnosis and tests.</summary>
    public LdlmNamespace Locks => _locks;

    /// <param name="folder">Where the logs are kept.</param>
    /// <param name="evict">Ends a client that does not answer a lock callback: <see cref="RpcServer.Evict"/>.</param>
    public MgsTarget(string folder, Action<Export, string> evict, TimeProvider time, ILogger<MgsTarget> logger)
    {
        _time = time;
        _logger = logger;
        _evict = evict;
        _logs = new ConfigLogStore(folder, time);
        _locks = new LdlmNamespace("MGS", this, new LdlmOptions { ClientTypes = LockTypes.Plain }, time, logger);
        _operations = new RpcOperationTable(
            new RpcOperation(Opcode.LdlmEnqueue, _locks.EnqueueAsync),
            new RpcOperation(Opcode.LdlmCancel, _locks.CancelAsync),
            new RpcOperation(Opcode.LlogOriginHandleCreate, OpenLog),
            new RpcOperation(Opcode.LlogOriginHandleReadHeader, ReadHeader),
            new RpcOperation(Opcode.LlogOriginHandleNextBlock, NextBlock),
            new RpcOperation(Opcode.LlogOriginHandlePrevBlock, PrevBlock));
    }

    /// <inheritdoc/>
    public string Uuid => "MGS";

    /// <inheritdoc/>
    public TargetKind Kind => TargetKind.Mgs;

    /// <summary>Always 0: nothing at an MGS is replayed.</summary>
    public ulong LastCommitted => 0;

    /// <summary>Whether the file system has a client log.</summary>
    public bool HasFileSystem(string name) => _logs.Exists(ClientLog(name));

    /// <summary>Writes the client log of a new file system whose targets are all on this node.</summary>
    /// <exception cref="IOException">The log could not be written.</exception>
    public void AddFileSystem(string name, Nid nid, int ostCount)
    {
        _logs.Change(ClientLog(name), log =>
        {
            var writer = new ClientLogWriter(name, log, _time);
            writer.AddFileSystem();
            writer.AddMdt(0, nid);
            for (var index = 0; index < ostCount; index++)
            {
                writer.AddOst(index, nid);
            }
        });
        LogFileSystemAdded(name, ostCount);
    }

    /// <summary>OSTs that the client log of a file system announces; 0 when there is no such log.</summary>
    public int OstCount(string fileSystem)
    {
        var count = 0;
        if (_logs.TryOpen(ClientLog(fileSystem), out var id))
        {
            _logs.TryRead(id, log => count = log.Count(LcfgCommand.LovAddObd));
        }

        return count;
    }

    /// <summary>
    /// Takes the client log of a file system away: nobody can mount it any more. Its clients are not told here: they learn it from its targets.
    /// No such file system is no error.
    /// </summary>
    /// <exception cref="IOException">The log could not be removed.</exception>
    public void RemoveFileSystem(string name)
    {
        if (HasFileSystem(name))
        {
            _logs.Remove(ClientLog(name));
            LogFileSystemRemoved(name);
        }
    }

    /// <summary>
    /// Announces another OST; mounted clients use it within 5 to 10 seconds (04 section 8.4). Waits a moment for them to give their lock up, but not
    /// for one that is away: it reads on when it is back.
    /// </summary>
    public ValueTask AddOstAsync(string fileSystem, int index, Nid nid, CancellationToken cancellationToken) =>
        ChangeAsync(fileSystem, writer => writer.AddOst(index, nid), cancellationToken);

    /// <summary>Sets a parameter on all clients, mounted or not (04 section 6.6).</summary>
    /// <param name="device">For instance <c>demo-OST0000-osc</c> or <c>demo-client</c>; null for <c>sys.</c> parameters.</param>
    public ValueTask SetParameterAsync(
        string fileSystem, string? device, string key, string value, CancellationToken cancellationToken) =>
        ChangeAsync(fileSystem, writer => writer.SetParameter(device, key, value), cancellationToken);

    /// <inheritdoc/>
    public RpcHandler? Find(uint opcode) => _operations.Find(opcode);

    /// <inheritdoc/>
    public bool Modifies(uint opcode) => _operations.Modifies(opcode);

    /// <inheritdoc/>
    public void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
        reply = new ObdConnectData
        {
            Flags = wanted.Flags & Granted,
            Flags2 = wanted.Flags2 & Granted2,
        };
    }

    /// <inheritdoc/>
    public void OnConnected(Export export)
    {
    }

    /// <inheritdoc/>
    public void OnReconnected(Export export)
    {
    }

    /// <inheritdoc/>
    public void OnClosed(Export export, ExportCloseReason reason) => _locks.DropExport(export);

    /// <inheritdoc/>
    public int FillLvb(in LdlmResId res, LockType type, Span<byte> lvb) => 0;

    /// <inheritdoc/>
    public ValueTask IntentAsync(RpcRequest request, ulong intentOpcode) =>
        throw new RpcException(Errno.EPROTO, rpcLevel: true);

    /// <inheritdoc/>
    public void Evict(Export export, string reason) => _evict(export, reason);

    /// <inheritdoc/>
    public void Dispose() => _locks.Dispose();

    private static string ClientLog(string fileSystem) => fileSystem + "-client";

    /// <summary>Appends to a client log, and then takes its lock back from every holder so that they read on (04 section 8.3).</summary>
    private async ValueTask ChangeAsync(string fileSystem, Action<ClientLogWriter> change, CancellationToken cancellationToken)
    {
        _logs.Change(ClientLog(fileSystem), log => change(new ClientLogWriter(fileSystem, log, _time)));
        using var patience = new CancellationTokenSource(RevocationPatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var revoked = await _locks.LockPlainAsync(
                ConfigLock.Resource(fileSystem, ConfigLock.Configuration), LockMode.EX, either.Token);
            LogConfigurationChanged(fileSystem);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Their time for the lock runs on without us: they give it up or are evicted.
            LogClientsAway(fileSystem);
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "file system {FileSystem} announced with {OstCount} OSTs")]
    private partial void LogFileSystemAdded(string fileSystem, int ostCount);

    [LoggerMessage(1002, LogLevel.Information, "configuration of {FileSystem} changed; clients were told")]
    private partial void LogConfigurationChanged(string fileSystem);

    [LoggerMessage(1003, LogLevel.Information, "file system {FileSystem} is not announced any more")]
    private partial void LogFileSystemRemoved(string fileSystem);

    [LoggerMessage(1004, LogLevel.Information, "configuration of {FileSystem} changed; some clients have not answered yet")]
    private partial void LogClientsAway(string fileSystem);
}
