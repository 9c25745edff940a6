using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>Objects as sparse files in hashed folders of a local file system.</summary>
public sealed class ObjectStore : IObjectStore
{
    /// <summary>Opens the store in <paramref name="folder"/>, or makes it there.</summary>
    public static ObjectStore Open(string folder, ObjectStoreOptions options, TimeProvider time, ILogger<ObjectStore> log) =>
        throw new NotImplementedException();

    public long MaxObjectBytes => throw new NotImplementedException();
    public uint Epoch => throw new NotImplementedException();
    public BackingSpace Backing => throw new NotImplementedException();
    public ObjectStoreSpace Space() => throw new NotImplementedException();
    public ObjectStoreSpace RefreshSpace() => throw new NotImplementedException();
    public OwnerUsage Usage(OwnerKind kind, uint id) => throw new NotImplementedException();
    public IStoredObject Open(in LuFid fid) => throw new NotImplementedException();
    public bool IsDestroyed(in LuFid fid) => throw new NotImplementedException();
    public ValueTask DestroyAsync(LuFid fid, CancellationToken ct) => throw new NotImplementedException();
    public ValueTask SyncAsync(CancellationToken ct) => throw new NotImplementedException();
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
