using Nacre.Client.Cache;

namespace Nacre.Client.Lov;

/// <summary>What one open file keeps about its bytes: where it reads ahead, and which lost writes it has been told of. Made by <see cref="FileData.Open"/>.</summary>
internal sealed class OpenData
{
    private const long FirstWindow = Block.Size;

    /// <summary>Reads that far from where the last ended still count as one stream: a kernel reads ahead by several requests out of order.</summary>
    private const long Slack = 2 * Block.Size;

    private readonly Lock _gate = new();
    private long _next;
    private long _ahead;
    private long _window;
    private long _lastStart = -1;
    private long _stride;
    private int _strides;

    internal OpenData(bool mayBeMappedWritable, int errorsSeen)
    {
        MayBeMappedWritable = mayBeMappedWritable;
        ErrorsSeen = errorsSeen;
    }

    /// <summary>The kernel may hand pages of the file to a writable mapping.</summary>
    public bool MayBeMappedWritable { get; }

    /// <summary>Number of the last loss this open file was told of.</summary>
    internal int ErrorsSeen { get; set; }

    /// <summary>
    /// What to read ahead because of a read: a range behind it for a stream, the next places for steps of equal width. Empty for anything else.
    /// </summary>
    /// <param name="most">Largest window, bytes.</param>
    internal ReadAhead Plan(long offset, int length, long most)
    {
        lock (_gate)
        {
            var end = offset + length;
            var isStream = offset >= _next - Slack && offset <= _next + Slack && most > 0;
            var plan = isStream ? Continue(end, most) : Step(offset, length, most);
            _lastStart = offset;
            _next = isStream ? Math.Max(_next, end) : end;
            return plan;
        }
    }

    /// <summary>Doubles the window with each half of it that was consumed.</summary>
    private ReadAhead Continue(long end, long most)
    {
        _strides = 0;
        var from = Math.Max(_ahead, end);
        if (_window != 0 && from - end >= _window / 2)
        {
            return default;
        }

        _window = Math.Min(most, Math.Max(FirstWindow, _window * 2));
        _ahead = (end + _window + Block.Size - 1) & -Block.Size;
        return new ReadAhead(from, _ahead - from, 0, 1);
    }

    private ReadAhead Step(long offset, int length, long most)
    {
        var stride = _lastStart < 0 ? 0 : offset - _lastStart;
        _strides = stride != 0 && stride == _stride ? _strides + 1 : 0;
        (_stride, _window, _ahead) = (stride, 0, 0);
        const int Enough = 2;
        var places = (int)Math.Min(Enough + 2, length > 0 ? most / length : 0);
        return _strides >= Enough && stride > 0 && places > 0 ? new ReadAhead(offset + stride, length, stride, places) : default;
    }
}

/// <summary>Ranges worth reading before they are asked for: <paramref name="Count"/> of them, <paramref name="Stride"/> apart.</summary>
internal readonly record struct ReadAhead(long Offset, long Length, long Stride, int Count);
