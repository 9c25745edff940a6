using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>What a connection is for, seen from the side that states it (01 section 4.8).</summary>
public enum ConnectionType
{
    /// <summary>Refused, try again.</summary>
    None = -1,
    Any = 0,

    /// <summary>Small messages, both directions.</summary>
    Control = 1,

    /// <summary>Large messages are received here; only driver NOOPs are sent.</summary>
    BulkIn = 2,

    /// <summary>Large messages are sent here.</summary>
    BulkOut = 3,
}

/// <summary>Connection types as the protocol pairs them.</summary>
public static class ConnectionTypes
{
    public const int Count = 4;

    /// <summary>A type that a HELLO may ask for: 0..3.</summary>
    public static bool IsValid(this ConnectionType type) => type is >= ConnectionType.Any and <= ConnectionType.BulkOut;

    /// <summary>The same connection, seen from the other side.</summary>
    public static ConnectionType Invert(this ConnectionType type) => type switch
    {
        ConnectionType.BulkIn => ConnectionType.BulkOut,
        ConnectionType.BulkOut => ConnectionType.BulkIn,
        _ => type,
    };
}

/// <summary>
/// HELLO of versions 2 and 3 (01 section 4.2): 56 bytes, then <see cref="AddressCount"/> addresses of 4 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct KsockHello
{
    public const int Size = 56;

    /// <summary><c>LNET_PROTO_MAGIC</c>, "cirE" in ASCII.</summary>
    public const uint ExpectedMagic = 0x4572_6963;

    /// <summary>Magic of a version 1 HELLO, and of acceptor requests older still.</summary>
    public const uint LegacyMagic = 0xEEBC_0DED;

    public const uint Version2 = 2;
    public const uint Version3 = 3;

    /// <summary>Most addresses a HELLO may list.</summary>
    public const int MaxAddresses = 16;

    public uint Magic;
    public uint Version;
    public Nid SrcNid;
    public Nid DstNid;
    public uint SrcPid;

    /// <summary>Never filled in; echoed.</summary>
    public uint DstPid;
    public ulong SrcIncarnation;

    /// <summary>Never filled in; echoed.</summary>
    public ulong DstIncarnation;
    public ConnectionType Type;
    public uint AddressCount;

    /// <summary>Versions whose HELLO has this layout and which this node speaks.</summary>
    public static bool IsKnown(uint version) => version is Version2 or Version3;
}
