using System.Collections.Immutable;

namespace Nacre.LNet;

/// <summary>Feature bits of a ping info (01 section 13.3).</summary>
[Flags]
public enum PingFeatures : uint
{
    None = 0,
    Base = 0x01,
    NiStatus = 0x02,

    /// <summary>The node is not a router.</summary>
    RouteDisabled = 0x04,
    MultiRail = 0x08,

    /// <summary>The node accepts pushes.</summary>
    Discovery = 0x10,
    LargeAddress = 0x20,
    PrimaryLarge = 0x40,
    Metadata = 0x80,

    /// <summary>What a default kernel node sends.</summary>
    Default = NiStatus | RouteDisabled | MultiRail | Discovery,
}

/// <summary>One interface listed in a ping info. In entry 0 (<c>0@lo</c>) the status is a sequence number.</summary>
public readonly record struct PingInterface(Nid Nid, uint Status)
{
    public const uint Up = 0x15AA_C0DE;
    public const uint Down = 0xDEAD_FACE;
}

/// <summary>The answer to an LNet ping (01 section 13.2).</summary>
public sealed record LNetPingInfo(PingFeatures Features, uint Pid, ImmutableArray<PingInterface> Interfaces)
{
    /// <summary>The NID a peer is known by: entry 1, behind the loopback entry.</summary>
    public Nid PrimaryNid => Interfaces.Length > 1 ? Interfaces[1].Nid : Nid.Any;
}
