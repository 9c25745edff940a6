using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>
/// The image of one configuration log: a header chunk and data chunks of 8192 bytes, the same bytes in memory, on disk and
/// on the wire (04 section 5). Records only ever come behind the ones that are there: clients remember the index up to which they have
/// executed the log, also across a restart of the server. Not thread-safe; <see cref="ConfigLogStore"/> guards it.
/// </summary>
internal sealed class ConfigLog
{
    private static readonly byte[] TargetUuid = "config_uuid"u8.ToArray();
    private byte[] _image;
    private int _length;

    private ConfigLog(byte[] image, int length)
    {
        _image = image;
        _length = length;
    }

    /// <summary>Bytes of the log, header included.</summary>
    public int Length => _length;

    /// <summary>Index of the last record, pads included; 0 when there is none.</summary>
    public uint LastIndex => MemoryMarshal.Read<LlogRecTail>(_image.AsSpan(LlogFormat.ChunkSize - LlogRecTail.Size)).Index;

    public ReadOnlySpan<byte> Bytes => _image.AsSpan(0, _length);

    public ReadOnlySpan<byte> Header => _image.AsSpan(0, LlogFormat.ChunkSize);

    public static ConfigLog Create(DateTimeOffset now)
    {
        var log = new ConfigLog(new byte[4 * LlogFormat.ChunkSize], LlogFormat.ChunkSize);
        ref var header = ref log.MutableHeader;
        header.Rec = new LlogRecHdr { Len = LlogFormat.ChunkSize, Type = LlogRecordType.LogHeader };
        header.Timestamp = now.ToUnixTimeSeconds();
        header.Count = 1;
        header.BitmapOffset = LlogLogHdr.Size;
        header.Flags = LlogFlags.Plain;
        TargetUuid.CopyTo(log._image.AsSpan(LlogLogHdr.Size - 4 - 40));
        log.SetTail(LlogFormat.ChunkSize - LlogRecTail.Size, LlogFormat.ChunkSize, 0);
        log.MarkLive(0);
        return log;
    }

    /// <summary>Takes over an image read from disk.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a whole log of this format.</exception>
    public static ConfigLog Load(byte[] bytes)
    {
        if (bytes.Length < LlogFormat.ChunkSize)
        {
            throw new InvalidDataException("the log is shorter than its header");
        }

        var log = new ConfigLog(bytes, bytes.Length);
        ref var header = ref log.MutableHeader;
        if (header.Rec.Type != LlogRecordType.LogHeader || header.Rec.Len != LlogFormat.ChunkSize)
        {
            throw new InvalidDataException("the log has no valid header");
        }

        log.CheckRecords();
        return log;
    }

    /// <summary>Appends one record, and a pad before it where it would cross a chunk (04 section 5.3).</summary>
    /// <exception cref="InvalidOperationException">The log is full, or the payload does not fit a chunk.</exception>
    public void Append(ReadOnlySpan<byte> payload)
    {
        var recordLength = LlogRecHdr.Size + ((payload.Length + 7) & ~7) + LlogRecTail.Size;
        if (recordLength > LlogFormat.ChunkSize || LastIndex + 2 >= LlogFormat.BitmapBits)
        {
            throw new InvalidOperationException("the configuration log has no room for this record");
        }

        var left = LlogFormat.ChunkSize - (_length % LlogFormat.ChunkSize);
        if (left != recordLength && left < recordLength + LlogRecHdr.Size + LlogRecTail.Size)
        {
            WriteRecord(LlogRecordType.Padding, [], left);
        }

        var index = WriteRecord(LlogRecordType.Configuration, payload, recordLength);
        ref var header = ref MutableHeader;
        header.Count++;
        header.SmallestRecord = header.SmallestRecord == 0 ? (uint)recordLength : Math.Min(header.SmallestRecord, (uint)recordLength);
        MarkLive(index);
    }

    /// <summary>
    /// Finds the chunk that holds record <paramref name="index"/>, or the first one behind it (04 section 4.4).
    /// With index 0, the chunk at <paramref name="offset"/>.
    /// </summary>
    /// <param name="chunk">The chunk from its beginning up to its last valid byte.</param>
    /// <param name="start">Offset of the chunk in the log, bytes.</param>
    /// <param name="lastIndex">Index of the last record in the chunk.</param>
    public bool TryFindChunk(uint index, ulong offset, out ReadOnlySpan<byte> chunk, out int start, out uint lastIndex)
    {
        start = LlogFormat.ChunkSize;
        if (index == 0 && offset >= LlogFormat.ChunkSize)
        {
            start = offset < (ulong)_length ? (int)offset & ~(LlogFormat.ChunkSize - 1) : _length;
        }

        for (; start < _length; start += LlogFormat.ChunkSize)
        {
            var end = Math.Min(start + LlogFormat.ChunkSize, _length);
            lastIndex = MemoryMarshal.Read<LlogRecTail>(_image.AsSpan(end - LlogRecTail.Size)).Index;
            if (lastIndex >= index)
            {
                chunk = _image.AsSpan(start, end - start);
                return true;
            }
        }

        chunk = default;
        lastIndex = LastIndex;
        return false;
    }

    /// <summary>Calls <paramref name="edit"/> with each marker, which it may change in place (04 section 7.3).</summary>
    public void EditMarkers(MarkerEdit edit)
    {
        foreach (var record in Records())
        {
            var payload = Payload(record);
            if (CommandOf(payload) == LcfgCommand.Marker)
            {
                // Marker records have the buffer lengths {0, 160}, so the marker starts at 40.
                edit(ref MemoryMarshal.AsRef<CfgMarker>(payload[(LustreCfg.Size + 8)..]));
            }
        }
    }

    /// <summary>How many records carry a command.</summary>
    public int Count(LcfgCommand command)
    {
        var count = 0;
        foreach (var record in Records())
        {
            count += CommandOf(Payload(record)) == command ? 1 : 0;
        }

        return count;
    }

    private static LcfgCommand CommandOf(ReadOnlySpan<byte> payload) => MemoryMarshal.Read<LustreCfg>(payload).Command;

    private Span<byte> Payload((int Offset, int Length) record) =>
        _image.AsSpan(record.Offset + LlogRecHdr.Size, record.Length - LlogRecHdr.Size - LlogRecTail.Size);

    /// <summary>Offset and length of each configuration record.</summary>
    private List<(int Offset, int Length)> Records()
    {
        var records = new List<(int, int)>();
        for (var at = LlogFormat.ChunkSize; at < _length;)
        {
            var rec = MemoryMarshal.Read<LlogRecHdr>(_image.AsSpan(at));
            if (rec.Type == LlogRecordType.Configuration)
            {
                records.Add((at, (int)rec.Len));
            }

            at += (int)rec.Len;
        }

        return records;
    }

    private ref LlogLogHdr MutableHeader => ref MemoryMarshal.AsRef<LlogLogHdr>(_image.AsSpan());

    private uint WriteRecord(LlogRecordType type, ReadOnlySpan<byte> payload, int recordLength)
    {
        EnsureRoom(recordLength);
        var index = LastIndex + 1;
        var record = _image.AsSpan(_length, recordLength);
        record.Clear();
        MemoryMarshal.AsRef<LlogRecHdr>(record) = new LlogRecHdr { Len = (uint)recordLength, Index = index, Type = type };
        payload.CopyTo(record[LlogRecHdr.Size..]);
        SetTail(_length + recordLength - LlogRecTail.Size, recordLength, index);
        _length += recordLength;
        SetTail(LlogFormat.ChunkSize - LlogRecTail.Size, LlogFormat.ChunkSize, index);
        return index;
    }

    private void EnsureRoom(int more)
    {
        if (_length + more > _image.Length)
        {
            Array.Resize(ref _image, Math.Max(_image.Length * 2, _length + more));
        }
    }

    private void SetTail(int at, int recordLength, uint index) =>
        MemoryMarshal.AsRef<LlogRecTail>(_image.AsSpan(at)) = new LlogRecTail { Len = (uint)recordLength, Index = index };

    private void MarkLive(uint index) => _image[LlogLogHdr.Size + (int)(index / 8)] |= (byte)(1 << (int)(index % 8));

    private void CheckRecords()
    {
        uint index = 0;
        var at = LlogFormat.ChunkSize;
        while (at < _length)
        {
            index++;
            var left = Math.Min(_length, (at / LlogFormat.ChunkSize * LlogFormat.ChunkSize) + LlogFormat.ChunkSize) - at;
            if (left < LlogRecHdr.Size + LlogRecTail.Size)
            {
                throw new InvalidDataException($"the log ends in the middle of record {index}");
            }

            var rec = MemoryMarshal.Read<LlogRecHdr>(_image.AsSpan(at));
            if (rec.Index != index || rec.Len < LlogRecHdr.Size + LlogRecTail.Size || rec.Len > left || rec.Len % 8 != 0
                || MemoryMarshal.Read<ulong>(_image.AsSpan(at + (int)rec.Len - LlogRecTail.Size)) != ((ulong)index << 32 | rec.Len))
            {
                throw new InvalidDataException($"record {index} of the log is damaged");
            }

            at += (int)rec.Len;
        }

        if (index != LastIndex)
        {
            throw new InvalidDataException($"the log promises {LastIndex} records and holds {index}");
        }
    }

    /// <summary>Changes a marker in place.</summary>
    public delegate void MarkerEdit(ref CfgMarker marker);
}
