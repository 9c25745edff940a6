using Nacre.LNet;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Linux capability bits the metadata server looks at (05 section 9.1), as a mask of the low 32 bits.</summary>
[Flags]
public enum Capabilities : uint
{
    None = 0,
    Chown = 1u << 0,
    DacOverride = 1u << 1,
    DacReadSearch = 1u << 2,
    FOwner = 1u << 3,
    FSetId = 1u << 4,
    LinuxImmutable = 1u << 9,
    SysAdmin = 1u << 21,
    SysResource = 1u << 24,
    All = uint.MaxValue,
}

/// <summary>How identities that clients send are changed before they are believed (05 section 9.1 rules 1 and 2).</summary>
public sealed record IdentityPolicy
{
    /// <summary>When set, a request with fsuid 0 from a client that is not exempt runs as these ids.</summary>
    public (uint Uid, uint Gid)? RootSquash { get; init; }

    /// <summary>Clients whose root is not squashed; null = none.</summary>
    public Func<Nid, bool>? SquashExempt { get; init; }

    /// <summary>Capabilities a process with fsuid != 0 may bring; the genuine default is none.</summary>
    public Capabilities UserCapabilities { get; init; }

    public static readonly IdentityPolicy Default = new();
}

/// <summary>
/// Who asks: the ids and capabilities every permission check uses. Group membership is fsgid, the one or two groups the client
/// chose to send, and <see cref="Groups"/> when the server knows the user's groups itself (05 section 9.1 rule 3).
/// </summary>
public readonly record struct MdtCredentials
{
    /// <summary>The value of an absent supplementary group.</summary>
    public const uint NoGroup = uint.MaxValue;

    public MdtCredentials(uint uid, uint gid, Capabilities capabilities, uint group1 = NoGroup, uint group2 = NoGroup)
    {
        (Uid, Gid, Capabilities, Group1, Group2) = (uid, gid, capabilities, group1, group2);
    }

    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public Capabilities Capabilities { get; init; }
    public uint Group1 { get; init; } = NoGroup;
    public uint Group2 { get; init; } = NoGroup;
    public ReadOnlyMemory<uint> Groups { get; init; }

    /// <summary>The server itself, or root of a trusted client.</summary>
    public static readonly MdtCredentials Root = new(0, 0, Capabilities.All);

    public bool Has(Capabilities capability) => (Capabilities & capability) != 0;

    public bool InGroup(uint gid) => gid == Gid || (gid != NoGroup && (gid == Group1 || gid == Group2 || Groups.Span.Contains(gid)));

    /// <summary>
    /// The credentials a request may act with: <paramref name="policy"/> applied to what the client sent.
    /// <paramref name="exempt"/>: the client's NID is in the no-squash list.
    /// </summary>
    public static MdtCredentials FromClient(
        uint fsUid, uint fsGid, uint capabilities, uint group1, uint group2, IdentityPolicy policy, bool exempt)
    {
        if (fsUid == 0 && !exempt && policy.RootSquash is { } squash)
        {
            return new MdtCredentials(squash.Uid, squash.Gid, Capabilities.None);
        }
        var allowed = (Capabilities)capabilities & (fsUid == 0 ? Capabilities.All : policy.UserCapabilities);
        return new MdtCredentials(fsUid, fsGid, allowed, group1, group2);
    }
}
