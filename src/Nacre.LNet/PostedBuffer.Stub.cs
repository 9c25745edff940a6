namespace Nacre.LNet;

public sealed partial class PostedBuffer
{
    /// <summary>Removes the buffer; use <see cref="DisposeAsync"/> when the memory is to be reused.</summary>
    public void Dispose() => throw new NotImplementedException();

    /// <summary>Removes the buffer and waits until no transfer touches its memory any more.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
