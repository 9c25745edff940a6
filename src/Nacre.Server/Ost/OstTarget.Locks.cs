using System.Runtime.InteropServices;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

// The lock manager's view of objects, and locks taken for clients.
public sealed partial class OstTarget
{
    /// <summary>The attributes of the object as they are now: nothing is cached, so PUNCH may lower them.</summary>
    int ILdlmHost.FillLvb(in LdlmResId res, LockType type, Span<byte> lvb)
    {
        if (type != LockType.Extent) return 0;
        var fid = new LuFid(res.Name0, (uint)res.Name1, (uint)(res.Name1 >> 32));
        if (!Exists(fid)) return -Errno.ENOENT;
        try
        {
            using var stored = _store.Open(fid);
            var attributes = stored.Attributes;
            MemoryMarshal.AsRef<OstLvb>(lvb) = new OstLvb
            {
                ObjectSize = (ulong)attributes.Size,
                MTime = attributes.MTime,
                ATime = attributes.ATime,
                CTime = attributes.CTime,
                Blocks = (ulong)attributes.Blocks,
            };
            return OstLvb.Size;
        }
        catch (FsException e)
        {
            return -e.Errno;
        }
    }

    /// <summary>Object locks carry no intents but the glimpse, which the namespace answers itself.</summary>
    ValueTask ILdlmHost.IntentAsync(RpcRequest request, ulong intentOpcode)
    {
        request.Fail(Errno.EOPNOTSUPP);
        return ValueTask.CompletedTask;
    }

    void ILdlmHost.Evict(Export export, string reason) => _server.Evict(export, reason);

    /// <summary>
    /// The lock that OBD_FL_SRVLOCK asks for, on bytes [start, end]; null when the client holds its own (06 section 4.11).
    /// </summary>
    private async ValueTask<ServerLock?> ServerLockAsync(
        RpcRequest request, LuFid fid, LockMode mode, ulong start, ulong end, LdlmFlags flags = LdlmFlags.None)
    {
        if (!request.Get<OstBody>(1).Oa.HasFlags(ObdoFlags.SrvLock)) return null;
        return await _locks.LockExtentAsync(ResourceOf(fid), mode, start, end, flags, request.Aborted).ConfigureAwait(false);
    }
}
