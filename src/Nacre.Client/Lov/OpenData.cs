namespace Nacre.Client.Lov;

/// <summary>What one open file keeps about its bytes: where it reads ahead, and which lost writes it has been told of. Made by <see cref="FileData.Open"/>.</summary>
internal sealed class OpenData
{
    internal OpenData(bool mayBeMappedWritable) => MayBeMappedWritable = mayBeMappedWritable;

    /// <summary>Reads take PW locks, since the kernel may hand the pages to a writable mapping.</summary>
    public bool MayBeMappedWritable { get; }
}
