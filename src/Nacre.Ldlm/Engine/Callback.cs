using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

internal enum CallbackKind : byte
{
    /// <summary>LDLM_BL_CALLBACK: give the lock up.</summary>
    Blocking,

    /// <summary>LDLM_CP_CALLBACK: the lock is granted.</summary>
    Completion,

    /// <summary>LDLM_CP_CALLBACK of a flock: told even if the range was given up meanwhile, for the process waits for it.</summary>
    FlockCompletion,

    /// <summary>LDLM_CP_CALLBACK of a waiting flock that is gone: deadlock, or withdrawn by the client.</summary>
    FlockRefusal,

    /// <summary>LDLM_GL_CALLBACK: how large is the object. Not queued; the asking request waits for it.</summary>
    Glimpse,
}

/// <summary>One callback in an owner's queue.</summary>
internal readonly record struct Callback(CallbackKind Kind, LdlmLock Lock)
{
    /// <summary>BL AST: the request that wants the lock. FLOCK: the lock as granted or refused.</summary>
    public LdlmLockDesc Blocker { get; init; }

    public LdlmFlags Flags { get; init; }

    public FlockUndo? Undo { get; init; }
}

/// <summary>The bodies of callbacks: an <c>ldlm_request</c> each. 03 sections 8.6 to 8.8.</summary>
internal static class CallbackMessages
{
    public static void Blocking(Span<byte> body, LdlmLock l, in LdlmLockDesc blocker, LdlmFlags flags) =>
        Write(body, l.ClientHandle, l.Handle, blocker, flags);

    public static void Completion(Span<byte> body, LdlmLock l, in LdlmLockDesc granted, LdlmFlags flags) =>
        Write(body, l.ClientHandle, l.Handle, granted, flags);

    /// <summary>Genuine servers leave the second handle of a glimpse 0.</summary>
    public static void Glimpse(Span<byte> body, LdlmLock l, in LdlmLockDesc glimpsed) =>
        Write(body, l.ClientHandle, 0, glimpsed, LdlmFlags.None);

    private static void Write(Span<byte> body, ulong clientHandle, ulong serverHandle, in LdlmLockDesc desc, LdlmFlags flags)
    {
        body.Clear();
        ref var request = ref MemoryMarshal.AsRef<LdlmRequest>(body);
        request.LockFlags = flags & LdlmFlags.CallbackMask;
        request.LockDesc = desc;
        request.Handle0 = clientHandle;
        request.Handle1 = serverHandle;
    }
}
