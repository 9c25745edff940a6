namespace Nacre.FileOperations;

/// <summary>What a file has to contain. Bytes behind its end are zeros, so that growing shows them.</summary>
internal sealed class ModelFile(int maxSize)
{
    private readonly byte[] _bytes = new byte[maxSize];

    public int MaxSize => maxSize;

    public int Size { get; private set; }

    public void Write(int offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_bytes.AsSpan(offset));
        Size = Math.Max(Size, offset + data.Length);
    }

    public void Truncate(int size)
    {
        if (size < Size) _bytes.AsSpan(size, Size - size).Clear();
        Size = size;
    }

    public void Punch(int offset, int length)
    {
        int end = Math.Min(offset + length, Size);
        if (offset < end) _bytes.AsSpan(offset, end - offset).Clear();
    }

    public void Allocate(int offset, int length) => Size = Math.Max(Size, offset + length);

    public void Copy(int from, int to, int length) => Write(to, _bytes.AsSpan(from, length).ToArray());

    /// <summary>Fails where what was read is not what is here.</summary>
    /// <param name="asked">Bytes asked for: the rest has to lie behind the end.</param>
    public void Check(int offset, ReadOnlySpan<byte> read, int asked)
    {
        int there = Math.Clamp(Size - offset, 0, asked);
        if (read.Length != there) throw new InvalidDataException($"{read.Length} bytes at {offset} and not {there}");
        var expected = _bytes.AsSpan(offset, there);
        int common = read.CommonPrefixLength(expected);
        if (common == there) return;

        int wrong = 0;
        int last = common;
        for (int i = common; i < there; i++)
        {
            if (read[i] == expected[i]) continue;
            wrong++;
            last = i;
        }

        throw new InvalidDataException(
            $"{wrong} wrong bytes from {offset + common} (0x{offset + common:x}) to {offset + last} (0x{offset + last:x}) in {read.Length} read at {offset}: "
            + $"the first is {read[common]} and not {expected[common]}");
    }

    /// <summary>Fails where a hole is said to be and there are bytes: anything may be data, not anything a hole.</summary>
    public void CheckHole(long from, long to)
    {
        int end = (int)Math.Min(to, Size);
        int data = from < end ? _bytes.AsSpan((int)from, end - (int)from).IndexOfAnyExcept((byte)0) : -1;
        if (data >= 0) throw new InvalidDataException($"a hole from {from} to {to}, with data at {from + data}");
    }
}
