using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary><c>ldlm_resource_desc</c>, 40 bytes. Protocol reference 03 section 5.1.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmResourceDesc
{
    public const int Size = 40;

    public LockType Type;
    public uint Pad;
    public LdlmResId Name;
}

/// <summary><c>ldlm_lock_desc</c>, 80 bytes. Protocol reference 03 section 5.2.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LdlmLockDesc
{
    public const int Size = 80;

    public LdlmResourceDesc Resource;
    public LockMode ReqMode;

    /// <summary><see cref="LockMode.None"/> while the lock waits.</summary>
    public LockMode GrantedMode;
    public LdlmPolicy Policy;
}
