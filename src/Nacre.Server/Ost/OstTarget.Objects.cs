using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// Life of objects: they begin with their first change and end by the MDT's word (06 sections 6.9, 6.10, 7.5).
public sealed partial class OstTarget
{
    public async ValueTask DestroyAsync(LuFid objectFid, CancellationToken ct)
    {
        if (!ObjectSequences.Owns(Index, objectFid)) throw new FsException(Errno.EINVAL);
        // Clients throw away what they cache of it, instead of writing it back.
        using var held = await _locks.LockExtentAsync(
            ResourceOf(objectFid), LockMode.PW, 0, EndOfObject, LdlmFlags.AstDiscardData, ct).ConfigureAwait(false);
        await _store.DestroyAsync(objectFid, ct).ConfigureAwait(false);
    }

    public async ValueTask SetSizeAsync(LuFid objectFid, ulong size, CancellationToken ct)
    {
        if (!ObjectSequences.Owns(Index, objectFid)) throw new FsException(Errno.EINVAL);
        if (size > (ulong)_store.MaxObjectBytes) throw new FsException(Errno.EFBIG);
        // Makes a file: not on the caller's thread.
        await Task.Yield();
        using var stored = _store.Open(objectFid);
        using (await stored.LockRangeAsync(0, long.MaxValue, ct).ConfigureAwait(false))
        {
            if ((ulong)stored.Attributes.Size >= size) return;
            using var transaction = _transactions.Begin();
            stored.Truncate((long)size, new ObjectChange { DataVersion = transaction.Number });
        }
    }

    /// <summary>Ids are handed out by the MDT and objects made on first use: nothing is precreated, and not for clients.</summary>
    private ValueTask CreateAsync(RpcRequest request) => throw new FsException(Errno.EPERM);

    /// <summary>
    /// The MDT destroys in process (<see cref="IObjectTarget"/>). A remote one is not served yet, and what a client claims to
    /// be must not let it delete objects.
    /// </summary>
    private ValueTask DestroyAsync(RpcRequest request) => throw new FsException(Errno.EPERM);
}
