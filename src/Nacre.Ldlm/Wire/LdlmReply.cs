using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary><c>ldlm_reply</c>, 112 bytes. Protocol reference 03 section 5.4.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmReply
{
    public const int Size = 112;

    public LdlmFlags LockFlags;
    public uint LockPadding;
    public LdlmLockDesc LockDesc;

    /// <summary>The server's handle of the lock.</summary>
    public ulong LockHandle;

    /// <summary>MDT intents: disposition bits. OST glimpse: 0 or a negative errno.</summary>
    public ulong LockPolicyRes1;

    /// <summary>MDT intents: 0 or a negative errno, sign-extended.</summary>
    public ulong LockPolicyRes2;
}
