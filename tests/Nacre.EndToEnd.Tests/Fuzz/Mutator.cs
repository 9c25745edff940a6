using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>Damages requests, at every level of their structure. Not thread-safe.</summary>
internal sealed class Mutator(FuzzCorpus corpus, Random random)
{
    private const int MaxBytes = (1 << 20) + 4096;
    private static readonly ulong[] Extremes =
    [
        0, 1, 2, 7, 8, 31, 32, 33, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
        0x8000000000000000, 0xfffffffffffffffe, ulong.MaxValue, 4095, 4096, 65536, 1 << 20, (1 << 20) + 1, 0x0BD00BD3,
    ];

    private readonly ulong[] _harvest = new ulong[256];
    private int _harvested;

    /// <summary>Remembers numbers a server has sent: handles and FIDs that mean something to it.</summary>
    public void Harvest(ReadOnlySpan<byte> payload)
    {
        for (var position = 0; position + sizeof(ulong) <= Math.Min(payload.Length, 1024); position += sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(payload[position..]);
            if (word > uint.MaxValue)
            {
                _harvest[_harvested++ % _harvest.Length] = word;
            }
        }
    }

    /// <summary>A request with none, one or several things wrong with it.</summary>
    public byte[] Mutate(byte[] payload)
    {
        var bytes = payload;
        for (var count = random.Next(8) switch { 0 => 0, < 5 => 1, < 7 => 2, _ => random.Next(3, 9) }; count > 0; count--)
        {
            bytes = MutateOnce(bytes);
        }

        return bytes.Length > MaxBytes ? bytes[..MaxBytes] : bytes;
    }

    /// <summary>Random damage to bytes without structure.</summary>
    public void Scramble(Span<byte> bytes)
    {
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            FlipOrReplace(bytes);
        }
    }

    private byte[] MutateOnce(byte[] bytes)
    {
        if (bytes.Length < MessageHeader.Size + 8)
        {
            return RandomBytes(random.Next(400));
        }

        switch (random.Next(16))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return [.. bytes, .. RandomBytes(random.Next(1, 64))];
            case 2:
                var other = corpus.Pick(random).Payload;
                return [.. bytes.AsSpan(0, random.Next(bytes.Length)), .. other.AsSpan(random.Next(other.Length))];
            case 3 or 4:
                return ExchangeBuffer(bytes);
            case 5:
                return ResizeBuffer(bytes);
        }

        var copy = (byte[])bytes.Clone();
        switch (random.Next(7))
        {
            case 0:
                DamageLength(copy);
                break;
            case 1:
                DamageHeader(copy);
                break;
            case 2:
                DamageBody(copy);
                break;
            default:
                FlipOrReplace(copy.AsSpan(BodyEnd(copy)));
                break;
        }

        return copy;
    }

    private void FlipOrReplace(Span<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var position = random.Next(bytes.Length);
        switch (random.Next(5))
        {
            case 0:
                bytes[position] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[position] = (byte)random.Next(256);
                break;
            case 2:
                Write(bytes[(position & ~3)..], 4, Extremes[random.Next(Extremes.Length)]);
                break;
            case 3:
                Write(bytes[(position & ~7)..], 8, Extremes[random.Next(Extremes.Length)]);
                break;
            default:
                Write(bytes[(position & ~7)..], 8, _harvest[random.Next(_harvest.Length)]);
                break;
        }
    }

    private static void Write(Span<byte> bytes, int size, ulong value)
    {
        for (var i = 0; i < Math.Min(size, bytes.Length); i++)
        {
            bytes[i] = (byte)(value >> (8 * i));
        }
    }

    /// <summary>A buffer length that does not fit what follows.</summary>
    private void DamageLength(Span<byte> bytes)
    {
        var index = random.Next(12);
        var at = MessageHeader.Size + (4 * index);
        if (at + 4 <= bytes.Length)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
            Write(bytes[at..], 4, random.Next(3) == 0 ? Extremes[random.Next(Extremes.Length)] : (uint)(length + random.Next(-16, 17)));
        }
    }

    private void DamageHeader(Span<byte> bytes) => Write(bytes[(4 * random.Next(8))..], 4, Extremes[random.Next(Extremes.Length)]);

    /// <summary>Another opcode, type, version, handle, flag or number in the body.</summary>
    private void DamageBody(Span<byte> bytes)
    {
        var body = bytes[BodyStart(bytes)..];
        switch (random.Next(6))
        {
            case 0 when body.Length > 20:
                Write(body[16..], 4, corpus.Pick(random).Opcode);
                break;
            case 1 when body.Length > 64:
                // Resent, replay.
                Write(body[56..], 4, (ulong)random.Next(8));
                break;
            case 2 when body.Length > 40:
                Write(body[32..], 2, (ulong)random.Next(12));
                break;
            default:
                FlipOrReplace(body[..Math.Min(body.Length, PtlrpcBody.Size)]);
                break;
        }
    }

    /// <summary>Takes one buffer from another request.</summary>
    private byte[] ExchangeBuffer(byte[] bytes)
    {
        if (LustreMessage.TryParse(bytes, out var message) != MessageError.None || message.BufferCount < 2
            || LustreMessage.TryParse(corpus.Pick(random).Payload, out var donor) != MessageError.None || donor.BufferCount < 2)
        {
            return bytes;
        }

        return Rebuild(message, random.Next(1, message.BufferCount), donor.Buffer(random.Next(1, donor.BufferCount)));
    }

    /// <summary>A buffer that is shorter or longer, with everything else in its place.</summary>
    private byte[] ResizeBuffer(byte[] bytes)
    {
        if (LustreMessage.TryParse(bytes, out var message) != MessageError.None || message.BufferCount < 2)
        {
            return bytes;
        }

        var index = random.Next(1, message.BufferCount);
        var old = message.Buffer(index);
        return random.Next(2) == 0
            ? Rebuild(message, index, old[..random.Next(old.Length + 1)])
            : Rebuild(message, index, [.. old, .. RandomBytes(random.Next(1, 200))]);
    }

    private static byte[] Rebuild(LustreMessage message, int changed, ReadOnlySpan<byte> with)
    {
        using var result = new MemoryStream();
        result.Write(message.Bytes[..MessageLayout.HeaderSize(message.BufferCount)]);
        for (var i = 0; i < message.BufferCount; i++)
        {
            var buffer = i == changed ? with : message.Buffer(i);
            result.Write(buffer);
            result.Write(new byte[MessageLayout.Round8(buffer.Length) - buffer.Length]);
        }

        var bytes = result.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(MessageHeader.Size + (4 * changed)), with.Length);
        return bytes;
    }

    private static int BodyStart(ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return Math.Min(bytes.Length, MessageLayout.HeaderSize((int)Math.Clamp(count, 1, MessageHeader.MaxBuffers)));
    }

    private static int BodyEnd(ReadOnlySpan<byte> bytes) => Math.Min(bytes.Length, BodyStart(bytes) + PtlrpcBody.Size);

    private byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
