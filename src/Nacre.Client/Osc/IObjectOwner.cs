using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>What an object needs from its file.</summary>
internal interface IObjectOwner
{
    /// <summary>Writes the fields that tell whose object it is: ids, parent, layout (06 section 4.2).</summary>
    void FillIdentity(ObjectData about, ref Obdo obdo);

    void FillOwner(ref Obdo obdo);

    /// <summary>Data that had been taken was not written: to be told once to each open file.</summary>
    void OnLost(int errno);

    /// <summary>What the kernel caches of a range of the object is no longer covered; dirty pages of mappings come back before it completes.</summary>
    /// <param name="end">Inclusive.</param>
    ValueTask DropKernelCacheAsync(ObjectData about, ulong start, ulong end);
}
