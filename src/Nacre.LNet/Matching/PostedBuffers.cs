using Nacre.LNet.Wire;

namespace Nacre.LNet.Matching;

/// <summary>What a PUT or GET names.</summary>
internal readonly record struct PostedKey(int Portal, ulong MatchBits);

/// <summary>The posted buffers of a node, in the order of posting within a key (01 section 11.6). Thread-safe.</summary>
internal sealed class PostedBuffers
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PostedKey, PostedBuffer> _first = [];

    /// <summary>Buffers posted and not yet used up or removed.</summary>
    public int Count { get; private set; }

    public void Add(PostedBuffer buffer)
    {
        lock (_gate)
        {
            buffer.IsPosted = true;
            Count++;
            if (_first.TryAdd(buffer.Key, buffer)) return;
            var last = _first[buffer.Key];
            while (last.Next is { } next) last = next;
            last.Next = buffer;
        }
    }

    public void Remove(PostedBuffer buffer)
    {
        lock (_gate) Unlink(buffer);
    }

    public PostedBuffer? MatchPut(PeerId peer, in LnetPut put, int length) =>
        Match(new PostedKey((int)put.Portal, put.MatchBits), peer, PostOptions.AcceptPut, put.Offset, length);

    public PostedBuffer? MatchGet(PeerId peer, in LnetGet get) =>
        Match(new PostedKey((int)get.Portal, get.MatchBits), peer, PostOptions.AcceptGet, get.SrcOffset, get.SinkLength);

    /// <summary>The first buffer that takes the operation; one for a single use is removed with it.</summary>
    private PostedBuffer? Match(PostedKey key, PeerId peer, PostOptions operation, uint offset, long length)
    {
        lock (_gate)
        {
            for (var buffer = _first.GetValueOrDefault(key); buffer is not null; buffer = buffer.Next)
            {
                if (!buffer.Accepts(peer, operation, offset, length)) continue;
                if ((buffer.Options & PostOptions.ManyUses) == 0) Unlink(buffer);
                return buffer;
            }

            return null;
        }
    }

    private void Unlink(PostedBuffer buffer)
    {
        if (!buffer.IsPosted) return;
        buffer.IsPosted = false;
        Count--;
        var first = _first[buffer.Key];
        if (first == buffer)
        {
            if (buffer.Next is { } second) _first[buffer.Key] = second;
            else _first.Remove(buffer.Key);
        }
        else
        {
            while (first.Next != buffer) first = first.Next!;
            first.Next = buffer.Next;
        }

        buffer.Next = null;
    }
}
