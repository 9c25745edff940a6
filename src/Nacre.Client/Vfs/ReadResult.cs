namespace Nacre.Client.Vfs;

/// <summary>
/// Bytes that were read, in place. They stay right and the lock that covers them held until <see cref="Dispose"/>, so the caller hands them on
/// (into the kernel's page cache, say) before that: what is cached above never outlives the lock unnoticed. Fewer bytes than asked for
/// mean the end of the file.
/// </summary>
public struct ReadResult(IReadOnlyList<ReadOnlyMemory<byte>> segments, int length, IDisposable? owner) : IDisposable
{
    private IDisposable? _owner = owner;

    public readonly IReadOnlyList<ReadOnlyMemory<byte>> Segments { get; } = segments;

    /// <summary>Bytes in all segments.</summary>
    public readonly int Length { get; } = length;

    public void Dispose()
    {
        _owner?.Dispose();
        _owner = null;
    }
}
