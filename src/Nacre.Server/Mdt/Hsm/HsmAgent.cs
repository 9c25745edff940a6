using Nacre.PtlRpc;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>A client with copytools, registered for some archives or for all (07 section 4.6). Changed under the queue's lock only.</summary>
/// <param name="export">The client.</param>
/// <param name="archives">Ids, or null for all archives.</param>
internal sealed class HsmAgent(Export export, IReadOnlySet<uint>? archives)
{
    public Export Export { get; } = export;

    /// <summary>Actions it works on.</summary>
    public int Running { get; set; }

    public bool Serves(uint archiveId) => archives is null || archives.Contains(archiveId);
}
