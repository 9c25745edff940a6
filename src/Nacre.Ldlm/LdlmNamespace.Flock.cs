using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;

namespace Nacre.Ldlm;

/// <summary>LDLM_ENQUEUE of file locks: 03 section 15.</summary>
public sealed partial class LdlmNamespace
{
    private void EnqueueFlock(RpcRequest r, in LdlmRequest request)
    {
        var desc = request.LockDesc;
        var owner = OwnerOf(r.Export);
        if ((request.LockFlags & LdlmFlags.TestLock) != 0)
        {
            TestFlock(r, request, owner);
            return;
        }
        // A resend of what was executed is answered from the reply record before it comes here. This is for a waiting
        // request whose record is gone.
        if (r.IsResent && _table.FindByClientHandle(owner, request.Handle0) is { } known
            && _table.StateOf(known) == LockState.Waiting)
        {
            AnswerFlock(r, Echo(request) | LdlmFlags.BlockGranted, desc, known.Handle);
            return;
        }
        var l = new LdlmLock(owner, request.Handle0, desc.ReqMode, desc.Policy);
        var result = _table.EnqueueFlock(l, desc.Resource.Name, (request.LockFlags & LdlmFlags.BlockNoWait) == 0);
        if (result == EnqueueResult.Waiting)
        {
            AnswerFlock(r, Echo(request) | LdlmFlags.BlockGranted, desc, l.Handle);
        }
        else if (result == EnqueueResult.Granted)
        {
            // As asked, whatever it merged with: the client merges its own copies in the same way.
            desc.GrantedMode = desc.ReqMode;
            AnswerFlock(r, Echo(request), desc, l.Handle);
        }
        else
        {
            throw Refusal(result);
        }
        r.KeepReply = true;
    }

    /// <summary>F_GETLK. Mode NL, not 0, says that nothing is in the way.</summary>
    private void TestFlock(RpcRequest r, in LdlmRequest request, LockOwner owner)
    {
        var desc = request.LockDesc;
        var probe = new LdlmLock(owner, 0, desc.ReqMode, desc.Policy);
        if (_table.TestFlock(probe, desc.Resource.Name) is { } blocker)
            desc = blocker;
        else
            desc.ReqMode = LockMode.NL;
        desc.GrantedMode = desc.ReqMode;
        AnswerFlock(r, Echo(request) | LdlmFlags.LockChanged | LdlmFlags.TestLock, desc, probe.Handle);
    }

    private static void AnswerFlock(RpcRequest r, LdlmFlags flags, in LdlmLockDesc desc, ulong handle)
    {
        r.StartReply(LdlmReply.Size, 0);
        ref var reply = ref r.Reply<LdlmReply>(1);
        reply.LockFlags = flags;
        reply.LockDesc = desc;
        reply.LockHandle = handle;
    }
}
