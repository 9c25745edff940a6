using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>Why a lock is given up.</summary>
public enum LockLoss
{
    /// <summary>The server wants it (LDLM_BL_CALLBACK, or AST_SENT with the grant).</summary>
    BlockingCallback,

    /// <summary>Unused for long, or too many unused ones.</summary>
    Lru,

    /// <summary>Given up with a request of this client that would have it called back.</summary>
    Early,

    /// <summary>Everything is given up: the mount ends, or an object leaves memory.</summary>
    Unmount,

    /// <summary>The server has forgotten this client: the lock is gone already, what is dirty under it is lost.</summary>
    Evicted,
}

/// <summary>Who is told about a lock: the owner of what is cached under it.</summary>
public interface ILockOwner
{
    /// <summary>
    /// A lock was granted that was asked for by <see cref="ClientNamespace.EnqueueAsync"/> or <see cref="ClientNamespace.GlimpseAsync"/>: the owner takes over
    /// what came with it before anybody can use the lock.
    /// </summary>
    void OnGranted(ClientLock granted)
    {
    }

    /// <summary>
    /// Flushes and drops what is cached under the lock (03 section 19.3). Nobody can match the lock any more and no reference is left; the
    /// cancel is sent when the task completes. With <see cref="LockLoss.Evicted"/> there is nothing to flush to: only drop. Runs on a
    /// thread of its own and may wait for requests under this lock, not for other locks of the same server.
    /// <para><see cref="ClientLock.Discard"/> says that dirty data is to be thrown away. Exceptions are logged and do not keep the lock.</para>
    /// </summary>
    ValueTask OnCancelAsync(ClientLock heldLock, LockLoss reason);

    /// <summary>
    /// The server asks what this client knows of the object (LDLM_GL_CALLBACK). Called from the receive loop: no waiting.
    /// </summary>
    /// <returns>False: nothing known (-303); the server takes its own attributes.</returns>
    bool TryGlimpse(ClientLock heldLock, out OstLvb lvb);
}
