namespace Nacre.LNet;

/// <summary>What a posted buffer allows (01 section 11.3).</summary>
[Flags]
public enum PostOptions
{
    None = 0,

    /// <summary>The peer may PUT into it.</summary>
    AcceptPut = 1,

    /// <summary>The peer may GET from it.</summary>
    AcceptGet = 2,

    /// <summary>Stays posted after a use; without it the first use removes the buffer.</summary>
    ManyUses = 4,

    /// <summary>Data lies at the offset the header names; without it, behind what earlier uses took.</summary>
    RemoteOffset = 8,

    /// <summary>A PUT that is too long is cut; without it, it is dropped.</summary>
    Truncate = 16,
}

/// <summary>What happened to a posted buffer. Called on receive loops; must not block.</summary>
public interface IPostedEvents
{
    /// <summary><paramref name="stored"/> bytes lie at <paramref name="offset"/>; the peer had sent <paramref name="sent"/>.</summary>
    void OnPut(PostedBuffer buffer, int offset, int stored, int sent);

    /// <summary>The peer took <paramref name="length"/> bytes: all of them are given to TCP and the memory is not read any more.</summary>
    void OnGet(PostedBuffer buffer, int length);

    /// <summary>The connection broke in the middle of a use. A buffer for one use is used up; the memory is not touched any more.</summary>
    void OnBroken(PostedBuffer buffer)
    {
    }
}

/// <summary>A buffer posted with <see cref="ILNet.Post"/>.</summary>
public sealed partial class PostedBuffer : IDisposable, IAsyncDisposable
{
    /// <summary>Free for the poster's use.</summary>
    public object? State { get; set; }
}
