using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>flock(2) and fcntl(2) locks (03 section 15).</summary>
public sealed partial class ScriptedClient
{
    private const ulong FlockEnd = 0x7fffffffffffffff;

    /// <summary>Takes a lock; false when <paramref name="wait"/> is false and somebody else has it. Fails with EDEADLK.</summary>
    public async Task<bool> FileLockAsync(
        LuFid fid, ulong owner, bool exclusive, bool wait, ulong start = 0, ulong end = FlockEnd, uint pid = 1)
    {
        var held = NewFileLock(fid, exclusive ? LockMode.PW : LockMode.PR, LdlmPolicy.Flock(start, end, owner, pid));
        try
        {
            await EnqueueAsync(held, wait ? LdlmFlags.None : LdlmFlags.BlockNoWait, lvbBytes: 0, modifies: true);
        }
        catch (RpcException refused) when (!wait && refused.Errno == Errno.EAGAIN)
        {
            return false;
        }

        // Pieces of locks have no identity the two sides share: the grant is all there is to know.
        Drop(held);
        return true;
    }

    public async Task FileUnlockAsync(LuFid fid, ulong owner, ulong start = 0, ulong end = FlockEnd)
    {
        var held = NewFileLock(fid, LockMode.NL, LdlmPolicy.Flock(start, end, owner, 1));
        await EnqueueAsync(held, LdlmFlags.None, lvbBytes: 0, modifies: true);
        Drop(held);
    }

    /// <summary>F_GETLK: the lock in the way; null when there is none.</summary>
    public async Task<(LockMode Mode, ulong Start, ulong End, uint Pid)?> TestFileLockAsync(
        LuFid fid, ulong owner, bool exclusive, ulong start, ulong end)
    {
        var held = NewFileLock(fid, exclusive ? LockMode.PW : LockMode.PR, LdlmPolicy.Flock(start, end, owner, 1));
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size);
        FillEnqueue(call, held, LdlmFlags.TestLock, []);
        try
        {
            using var reply = await SendAsync(Mdt, call);
            var found = reply.Get<LdlmReply>(1).LockDesc;
            return found.ReqMode == LockMode.NL
                ? null
                : (found.ReqMode, found.Policy.Start, found.Policy.End, found.Policy.FlockPid);
        }
        finally
        {
            Drop(held);
        }
    }

    private HeldLock NewFileLock(LuFid fid, LockMode mode, LdlmPolicy policy)
    {
        var resource = ResourceOf(fid);
        resource.Name3 = LdlmResId.FlockMarker;
        return NewLock(Mdt, resource, LockType.Flock, mode, policy);
    }
}
