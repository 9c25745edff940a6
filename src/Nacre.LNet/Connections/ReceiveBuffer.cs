namespace Nacre.LNet.Connections;

/// <summary>
/// The bytes received and not yet parsed. Small while little arrives, so that idle connections are cheap; grows to the
/// configured size while receives fill it, and as far as a message needs that must lie in one piece.
/// </summary>
internal sealed class ReceiveBuffer(BufferPool pool, int largest)
{
    private const int Smallest = 16 << 10;
    private const int GrowthFactor = 4;

    private byte[] _array = pool.RentArray(Smallest);
    private int _start;
    private int _end;
    private int _lastReceived;
    private bool _filled;

    public ReadOnlySpan<byte> Unread => _array.AsSpan(_start, _end - _start);

    public int Length => _end - _start;

    public void Consume(int count) => _start += count;

    /// <summary>Room to receive into, so that at least <paramref name="needed"/> bytes can lie in one piece.</summary>
    public Memory<byte> Prepare(int needed)
    {
        if (_start == _end)
        {
            _start = _end = 0;
            Resize(Math.Max(needed, WantedSize()));
        }
        else if (_array.Length < needed)
        {
            Resize(needed);
        }
        else if (_start + needed > _array.Length || _end == _array.Length)
        {
            Unread.CopyTo(_array);
            _end -= _start;
            _start = 0;
        }

        return _array.AsMemory(_end);
    }

    public void Commit(int count)
    {
        _lastReceived = count;
        _filled = _end + count == _array.Length;
        _end += count;
    }

    /// <summary>
    /// The rest of the message goes elsewhere: what filled the buffer says nothing about how large it should be.
    /// </summary>
    public void ForgetFill()
    {
        _filled = false;
        _lastReceived = 0;
    }

    /// <summary>Gives the memory back. The last thing that happens to it.</summary>
    public void Release()
    {
        pool.ReturnArray(_array);
        _array = [];
        _start = _end = 0;
    }

    /// <summary>More when the last receive left no room, the smallest when it was small.</summary>
    private int WantedSize()
    {
        if (_filled) return Math.Max(Smallest, Math.Min(_array.Length * GrowthFactor, largest));
        return _lastReceived < Smallest / 2 ? Smallest : Math.Min(_array.Length, Math.Max(largest, Smallest));
    }

    private void Resize(int size)
    {
        // The pool hands out powers of two; anything the array can serve without holding twice as much is kept.
        if (size <= _array.Length && _array.Length < 2 * size) return;
        var larger = pool.RentArray(size);
        Unread.CopyTo(larger);
        pool.ReturnArray(_array);
        _array = larger;
        _end -= _start;
        _start = 0;
    }
}
