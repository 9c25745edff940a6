using System.Runtime.CompilerServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>Reading the parts that metadata requests share (05 sections 1.3, 1.4, 9.1).</summary>
public sealed partial class MdtTarget
{
    /// <summary>Longest name in bytes.</summary>
    private const int MaxName = 255;

    /// <summary>A name buffer without its NUL; empty when the buffer is missing, empty, or holds only the NUL. EPROTO when the
    /// NUL is not exactly the last byte.</summary>
    private static ReadOnlySpan<byte> NameIn(RpcRequest request, int buffer)
    {
        if (!request.Has(buffer))
            return default;
        var bytes = request.Buffer(buffer);
        if (bytes.IndexOf((byte)0) != bytes.Length - 1)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        return bytes[..^1];
    }

    /// <summary>As <see cref="NameIn"/>, but for the name of an entry to make, change or look up: ENAMETOOLONG beyond 255 bytes,
    /// EPROTO when there is none.</summary>
    private static ReadOnlySpan<byte> EntryNameIn(RpcRequest request, int buffer)
    {
        var name = NameIn(request, buffer);
        if (name.IsEmpty)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        if (name.Length > MaxName)
            throw new FsException(Errno.ENAMETOOLONG);
        return name;
    }

    private static ReadOnlySpan<byte> BytesIn(RpcRequest request, int buffer) =>
        request.Has(buffer) ? request.Buffer(buffer) : default;

    private MdtCredentials Caller(RpcRequest request, in MdtBody body) =>
        Caller(request, body.FsUid, body.FsGid, body.Capability, body.Suppgid, MdtCredentials.NoGroup);

    private MdtCredentials Caller(RpcRequest request, in MdtRecReint record) =>
        Caller(request, record.FsUid, record.FsGid, record.Cap, record.Suppgid1, record.Suppgid2);

    private MdtCredentials Caller(RpcRequest request, uint uid, uint gid, uint capabilities, uint group1, uint group2)
    {
        var identity = Identity;
        bool exempt = identity.RootSquash != null && identity.SquashExempt?.Invoke(request.Peer.Nid) == true;
        return MdtCredentials.FromClient(uid, gid, capabilities, group1, group2, identity, exempt);
    }

    /// <summary>The FID in fid1 where the operation needs one: EPROTO without (05 section 1.5).</summary>
    private static LuFid RequireFid(in MdtBody body) =>
        (body.Valid & ObdMd.FlId) != 0 && !body.Fid1.IsZero
            ? body.Fid1
            : throw new RpcException(Errno.EPROTO, rpcLevel: true);

    /// <summary>Waits until nothing the reply rests on can be lost by a killed server. 0 = nothing to wait for.</summary>
    private ValueTask Settled(ulong transaction) =>
        transaction == 0 ? ValueTask.CompletedTask : _store.WhenCommitted(transaction);

    /// <summary>As <see cref="Settled(ulong)"/>, but a refusal may rest on any change since the request was first looked at.</summary>
    private ValueTask Settled(bool refused, ulong transaction, ulong since) =>
        refused ? _store.WhenSettled(since) : Settled(transaction);

    /// <summary>A handler whose refusals wait as answers do: what was refused because of a change that a killed server would lose
    /// must not be told before that is committed. Costs nothing when the handler answers at once.</summary>
    private RpcHandler Settling(RpcHandler handler) => request =>
    {
        ulong since = _store.OpenTransaction;
        ValueTask work;
        try
        {
            work = handler(request);
        }
        catch (ErrnoException refused)
        {
            work = ValueTask.FromException(refused);
        }
        return work.IsCompletedSuccessfully ? work : SettleRefusalAsync(work, since);
    };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SettleRefusalAsync(ValueTask work, ulong since)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (ErrnoException)
        {
            await _store.WhenSettled(since).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts the outcome of a change into the reply's envelope.</summary>
    private static void Record(RpcRequest request, in MdtResult result) => Record(request, result.Transno, result.PreVersions);

    private static void Record(RpcRequest request, ulong transno, PreVersions versions)
    {
        request.Transno = transno;
        if (transno == 0)
            return;
        ref var slots = ref request.PreVersions;
        slots[0] = versions.V0;
        slots[1] = versions.V1;
        slots[2] = versions.V2;
        slots[3] = versions.V3;
    }
}
