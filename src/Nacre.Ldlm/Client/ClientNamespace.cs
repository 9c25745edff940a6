using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;

namespace Nacre.Ldlm.Client;

/// <summary>
/// The locks this client has of one target (03 section 19): caches granted ones, matches, counts references, answers callbacks, cancels. One per
/// import.
/// </summary>
public sealed partial class ClientNamespace : ICallbackHandler, IAsyncDisposable
{
    public ClientNamespace(Import import, ClientNamespaceOptions options, ILogger log)
    {
        Import = import;
    }

    public Import Import { get; }

    /// <summary>Locks held or waited for.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>
    /// A granted lock that covers what is asked for (a PW lock covers a PR, an extent a part, bits a subset) and is not leaving, with a reference
    /// more; null when there is none.
    /// </summary>
    public LockReference? TryMatch(in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy) => throw new NotImplementedException();

    /// <summary>Asks for a lock without an intent and waits until it is granted.</summary>
    /// <exception cref="ErrnoException">Refused (EAGAIN, EDEADLK, ENOENT ...), or lost by eviction (EIO).</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>; a grant under way is given back.</exception>
    public ValueTask<LockReference> EnqueueAsync(LockRequest request, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>
    /// A lock for an intent the caller sends: then <see cref="FillRequest"/>, send, and in any case <see cref="AcceptAsync"/> or
    /// <see cref="Abandon"/>.
    /// </summary>
    public ClientLock Prepare(
        in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy, ILockOwner? owner = null, object? state = null) =>
        throw new NotImplementedException();

    /// <summary>
    /// Fills buffer 1 of an LDLM_ENQUEUE, which is <see cref="LdlmRequest.Size"/> bytes, and 8 more for each early cancel behind the first.
    /// </summary>
    /// <param name="earlyCancels">Server handles of <see cref="TakeForEarlyCancelAsync"/>.</param>
    public void FillRequest(RpcCall call, ClientLock prepared, LdlmFlags flags, ReadOnlySpan<ulong> earlyCancels) => throw new NotImplementedException();

    /// <summary>
    /// Takes over what the reply says about the lock, and waits for the grant when it is blocked. The reply stays the caller's.
    /// </summary>
    /// <returns>Null when no lock was given (status 301, or an error status).</returns>
    public ValueTask<LockReference?> AcceptAsync(ClientLock prepared, RpcReply reply, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The request failed or its reply is of no use: forgets the lock, and gives it back should it have been granted. May be called late or twice.</summary>
    public void Abandon(ClientLock prepared) => throw new NotImplementedException();

    /// <summary>
    /// Takes unused locks of a resource out, to be cancelled with another request (03 section 17.1); their owners' OnCancelAsync has completed when
    /// this returns. The handles must then travel, with whatever request.
    /// </summary>
    /// <param name="modes">A set of mode bits.</param>
    /// <param name="bits">IBITS: locks that have any of them.</param>
    /// <param name="handles">Receives server handles; its length bounds how many are taken.</param>
    /// <returns>Handles written.</returns>
    public ValueTask<int> TakeForEarlyCancelAsync(LdlmResId resource, LockMode modes, InodeBits bits, Memory<ulong> handles) => throw new NotImplementedException();

    /// <summary>Cancels the unused locks of a resource, and the used ones as soon as they are not: what an inode that leaves memory does.</summary>
    public ValueTask CancelResourceAsync(LdlmResId resource) => throw new NotImplementedException();

    /// <summary>Gives all locks up, in batches: unmount. Flocks go with the disconnect.</summary>
    public ValueTask CancelAllAsync() => throw new NotImplementedException();

    /// <summary>The server has forgotten this client; to be called from <see cref="ImportOptions.OnEvicted"/>.</summary>
    public void OnEvicted() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask HandleAsync(CallbackRequest request) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();

    internal void Release(ClientLock held) => throw new NotImplementedException();
}
