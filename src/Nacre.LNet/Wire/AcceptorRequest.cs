using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>The first bytes of a connection, sent by the caller (01 section 3.2). 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct AcceptorRequest
{
    public const int Size = 16;

    /// <summary><c>LNET_PROTO_ACCEPTOR_MAGIC</c>.</summary>
    public const uint ExpectedMagic = 0xACCE_7100;

    /// <summary>Version of this 16-byte form; 2 has a 20-byte NID.</summary>
    public const uint ExpectedVersion = 1;

    public uint Magic;
    public uint Version;

    /// <summary>The NID the caller believes it is calling: ours, not the caller's.</summary>
    public Nid Nid;

    public AcceptorRequest(Nid target)
    {
        Magic = ExpectedMagic;
        Version = ExpectedVersion;
        Nid = target;
    }
}
