using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm;

/// <summary>
/// The locks of one target. This class speaks RPC and gives the target locks of its own; who gets what is decided by
/// <see cref="LockTable"/>. Protocol reference 03.
/// </summary>
/// <remarks>
/// A target takes locks on parents before those on children, several of one level in the order of their FIDs, and a lock
/// for the client (<see cref="GrantToClientAsync"/>) last: a lock made for a client is not given up before the reply is
/// built, so an operation that still waits for others behind it can wait in a circle.
/// </remarks>
public sealed partial class LdlmNamespace : IDisposable
{
    private readonly Lock _owners = new();
    private readonly LockTable _table;
    private readonly ILdlmHost _host;
    private readonly LdlmOptions _options;

    /// <param name="name">For logs: the target's name.</param>
    public LdlmNamespace(string name, ILdlmHost host, LdlmOptions options, TimeProvider time, ILogger log)
    {
        _host = host;
        _options = options;
        _table = new LockTable(name, host.FillLvb, options, time, log);
    }

    /// <summary>Locks of clients and of the server, granted and waiting.</summary>
    public int LockCount => _table.LockCount;

    public int ResourceCount => _table.ResourceCount;

    /// <summary>Called-back locks whose cancel is awaited.</summary>
    public int CalledBackCount => _table.RunningTimers;

    /// <summary>Stops timers and callbacks; tasks that wait for locks are cancelled.</summary>
    public void Dispose() => _table.Dispose();

    /// <summary>Disconnect or eviction: releases all locks of the client and grants what waited for them.</summary>
    public void DropExport(Export e) => _table.Drop(OwnerOf(e), NotConnected());

    /// <summary>
    /// The client reads, writes or truncates [start, end] of an object: its locks there that were called back get more
    /// time (03 section 9.4). Call when such an RPC begins and again when it ends.
    /// </summary>
    public void RefreshByIo(Export e, in LdlmResId res, ulong start, ulong end)
    {
        if (e.LockState is LockOwner owner)
            _table.RefreshByIo(owner, res, start, end);
    }

    /// <summary>Lock replay begins: no lock is granted by rule and nobody is called back until <see cref="EndRecovery"/>.</summary>
    public void BeginRecovery() => _table.BeginRecovery();

    public void EndRecovery() => _table.EndRecovery();

    private static RpcException NotConnected() => new(Errno.ENOTCONN, rpcLevel: true);

    private static RpcException Refusal(EnqueueResult result) => new(
        result switch
        {
            EnqueueResult.Conflict => Errno.EAGAIN,
            EnqueueResult.Deadlock => Errno.EDEADLK,
            EnqueueResult.Limit => Errno.ENOMEM,
            EnqueueResult.OwnerGone => Errno.ENOTCONN,
            _ => Errno.EINVAL,
        },
        rpcLevel: true);

    private LockOwner OwnerOf(Export e)
    {
        if (e.LockState is LockOwner known)
            return known;
        lock (_owners)
        {
            if (e.LockState is LockOwner made)
                return made;
            var owner = new LockOwner(_table, new ExportClient(e, _host)) { Dropped = e.IsClosed };
            e.LockState = owner;
            return owner;
        }
    }
}
