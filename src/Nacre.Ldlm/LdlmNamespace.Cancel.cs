using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm;

/// <summary>LDLM_CANCEL, LDLM_CONVERT and early cancels: 03 sections 8.4, 8.5 and 17.1.</summary>
public sealed partial class LdlmNamespace
{
    /// <summary>Opcode 103. Status 0, or a positive 116 when none of the handles was known.</summary>
    public ValueTask CancelAsync(RpcRequest r)
    {
        ref readonly var request = ref r.Get<LdlmRequest>(1);
        var handles = LdlmRequest.Handles(r.Buffer(1));
        var count = Math.Max(1, request.LockCount);
        if (count > (uint)handles.Length)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        var found = _table.Cancel(OwnerOf(r.Export), handles[..(int)count]);
        r.StartReply();
        r.Status = found > 0 ? 0 : Errno.ESTALE;
        return ValueTask.CompletedTask;
    }

    /// <summary>Opcode 102. Status 0, a positive 303 for an unknown lock, EPROTO for another mode or foreign bits.</summary>
    public ValueTask ConvertAsync(RpcRequest r)
    {
        var request = r.Get<LdlmRequest>(1);
        var result = _table.Convert(
            OwnerOf(r.Export), request.Handle0, request.LockDesc.ReqMode, request.LockDesc.Policy.Bits, out var held);
        if (result == ConvertResult.Refused)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        r.StartReply(LdlmReply.Size);
        ref var reply = ref r.Reply<LdlmReply>(1);
        reply.LockFlags = request.LockFlags & Echoed;
        reply.LockDesc.Policy.Bits = held;
        // The client's handle: it knows its lock by that one.
        reply.LockHandle = result == ConvertResult.Converted ? _table.ClientHandleOf(request.Handle0) : 0;
        r.Status = result == ConvertResult.Converted ? 0 : LdlmStatus.NoLockData;
        return ValueTask.CompletedTask;
    }

    /// <summary>Whether the client has this lock, granted, on this resource.</summary>
    public bool IsGranted(Export e, ulong handle, in LdlmResId res) => _table.IsGranted(OwnerOf(e), handle, res);

    /// <summary>
    /// Early cancels: handles that came along with another request. To be done before that request, and only if it is no
    /// replay. Unknown handles and those of other clients are skipped.
    /// </summary>
    public void CancelEarly(Export e, ReadOnlySpan<ulong> handles)
    {
        if (!handles.IsEmpty)
            _table.Cancel(OwnerOf(e), handles);
    }

    /// <summary>
    /// Early cancels in buffer <paramref name="buffer"/> of a request, an <c>ldlm_request</c> or nothing. In an enqueue
    /// slot 0 is the new lock's; elsewhere the cancels begin there. A count beyond the buffer voids the list.
    /// </summary>
    public void CancelEarly(RpcRequest r, int buffer, int firstSlot = 0)
    {
        if (r.IsReplay || r.BufferCount <= buffer || r.BufferLength(buffer) < LdlmRequest.Size)
            return;
        var count = r.Get<LdlmRequest>(buffer).LockCount;
        var handles = LdlmRequest.Handles(r.Buffer(buffer));
        if (count > (uint)handles.Length || count <= (uint)firstSlot)
            return;
        CancelEarly(r.Export, handles[firstSlot..(int)count]);
    }
}
