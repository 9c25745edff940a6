using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>Kinds of socklnd messages (01 section 6.1).</summary>
public enum KsockMessageType : uint
{
    /// <summary>The header alone: zero-copy acknowledgements and keepalives.</summary>
    Noop = 0xC0,

    /// <summary>An LNet header and its payload follow.</summary>
    Lnet = 0xC1,
}

/// <summary>Precedes every message after the HELLO (01 section 6.1). 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct KsockHeader
{
    public const int Size = 24;

    /// <summary>In <see cref="ZcAckCookie"/> of a NOOP: "still here", acknowledges nothing (version 3).</summary>
    public const ulong KeepaliveCookie = 1;

    public KsockMessageType Type;

    /// <summary>0; never generated, and ignored on receipt (01 section 8.1).</summary>
    public uint Checksum;

    /// <summary>LNET message: the cookie to be acknowledged, 0 for none. NOOP: the first acknowledged cookie.</summary>
    public ulong ZcRequestCookie;

    /// <summary>The acknowledged cookie, 0 for none.</summary>
    public ulong ZcAckCookie;
}
