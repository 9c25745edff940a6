using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;

namespace Nacre.Ldlm;

/// <summary>What a target (MGS, MDT, OST) does for its lock namespace. Never called with the namespace's gate held.</summary>
public interface ILdlmHost
{
    /// <summary>
    /// Writes the lock value block of a resource as of now: 56 bytes of <see cref="OstLvb"/> for EXTENT, nothing for other
    /// types. Called at grants and glimpses, from whatever thread brings them about: no waiting for locks.
    /// </summary>
    /// <param name="lvb">56 bytes.</param>
    /// <returns>Length written, or a negative errno: ENOENT for an object that does not exist fails the enqueue.</returns>
    int FillLvb(in LdlmResId res, LockType type, Span<byte> lvb);

    /// <summary>
    /// LDLM_ENQUEUE of an IBITS lock with an intent buffer. Early cancels are done already. The host builds the whole
    /// reply: status 0 or 301, the client's lock by <see cref="LdlmNamespace.FillReply"/>. A lock made for the client and
    /// not put into the reply is released when this returns.
    /// </summary>
    ValueTask IntentAsync(RpcRequest request, ulong intentOpcode);

    /// <summary>
    /// The client has not given a lock up in time, or does not answer callbacks. Ends in
    /// <see cref="LdlmNamespace.DropExport"/>.
    /// </summary>
    void Evict(Export export, string reason);
}
