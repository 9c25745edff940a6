using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Client;
using Nacre.PtlRpc;

namespace Nacre.Client.Targets;

/// <summary>A server this mount talks to: the connection, and the locks held there.</summary>
internal sealed class Target : ICallbackHandler
{
    private int _evictions;

    public Target(RpcClient rpc, ImportOptions options, ClientNamespaceOptions lockOptions, ILogger log)
    {
        Import = rpc.CreateImport(options with { Callbacks = this, OnEvicted = OnEvicted });
        Locks = new ClientNamespace(Import, lockOptions, log);
    }

    public Import Import { get; }

    public ClientNamespace Locks { get; }

    /// <summary>How often the server has forgotten this client: opens and locks of an earlier number are gone.</summary>
    public int Evictions => Volatile.Read(ref _evictions);

    /// <summary>Called after the locks are forgotten.</summary>
    public Action<Target>? Evicted { get; set; }

    public string Name => Import.Options.TargetUuid;

    ValueTask ICallbackHandler.HandleAsync(CallbackRequest request) => Locks.HandleAsync(request);

    /// <summary>Closes without a word to the server.</summary>
    public async ValueTask CloseAsync()
    {
        await Import.DisposeAsync().ConfigureAwait(false);
        await Locks.DisposeAsync().ConfigureAwait(false);
    }

    private void OnEvicted(Import import)
    {
        Interlocked.Increment(ref _evictions);
        Locks.OnEvicted();
        Evicted?.Invoke(this);
    }
}
