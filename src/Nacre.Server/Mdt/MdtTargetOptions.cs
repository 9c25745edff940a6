using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Hsm;
using Nacre.Server.Mdt.Layouts;

namespace Nacre.Server.Mdt;

/// <summary>How a metadata target is set up.</summary>
public sealed record MdtTargetOptions
{
    /// <summary>The fsname, at most 8 characters.</summary>
    public required string FileSystemName { get; init; }

    /// <summary>Index of this MDT; 0 is the only one that exists today.</summary>
    public int Index { get; init; }

    /// <summary>Layout template of files for which neither the request nor a directory says anything.</summary>
    public LovLayout DefaultLayout { get; init; } = LayoutDefaults.Fsx;

    /// <summary>Root squash and the capabilities users may bring, at the start: <see cref="MdtTarget.Identity"/>.</summary>
    public IdentityPolicy Identity { get; init; } = IdentityPolicy.Default;

    /// <summary>See <see cref="PtlRpc.IRpcTarget.Generation"/>.</summary>
    public uint Generation { get; init; }

    /// <summary>Limits of the HSM coordinator.</summary>
    public HsmOptions Hsm { get; init; } = new();

    /// <summary>How often this target was started: <c>ocd_instance</c>.</summary>
    public uint Instance { get; init; } = 1;

    /// <summary>Open files of one client at a time; beyond it an open is refused with EMFILE. Bounds memory.</summary>
    public int MaxOpenFilesPerClient { get; init; } = 1 << 20;

    public string TargetName => $"{FileSystemName}-MDT{Index:x4}";
}
