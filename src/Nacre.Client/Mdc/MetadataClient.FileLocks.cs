using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>F_GETLK (03 section 15.4).</summary>
internal sealed partial class MetadataClient
{
    /// <summary>The lock in the way, or one of mode NL.</summary>
    public async ValueTask<Outcome<(LockMode Mode, LdlmPolicy Policy)>> TestLockAsync(
        LuFid fid, LockMode mode, LdlmPolicy policy, CancellationToken ct)
    {
        var prepared = Target.Locks.Prepare(LdlmResId.OfFlock(fid), LockType.Flock, mode, policy);
        try
        {
            var call = Rent(Opcode.LdlmEnqueue, LdlmRequest.Size);
            Target.Locks.FillRequest(call, prepared, LdlmFlags.TestLock, []);
            var sent = await SendAsync(call, ct).ConfigureAwait(false);
            if (!sent.IsOk)
            {
                return new Failure(sent.Errno);
            }

            using var reply = sent.Value;
            if (reply.BufferLength(1) < LdlmReply.Size)
            {
                return new Failure(Errno.EPROTO);
            }

            ref readonly var found = ref reply.Get<LdlmReply>(1).LockDesc;
            return (found.ReqMode, found.Policy);
        }
        finally
        {
            // Nothing was granted: the handle only names the question.
            Target.Locks.Abandon(prepared);
        }
    }
}
