using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// A hostile LNet node: dials connections of any types and number, sends messages of all kinds in pieces cut anywhere, takes all
/// that is sent to it, hangs up where it likes, and comes back as the same or as another run.
/// </summary>
internal sealed class FramingPeer(FramingTarget target, FramingFrames frames, Random random, FramingStatistics statistics)
{
    private const int MostConnections = 7;
    private const int BatchBytes = 64 << 10;
    private static readonly int[] DamageRates = [16, 100, 1000, 5000];
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(20);

    private readonly ArrayBufferWriter<byte> _batch = new(2 << 20);
    private readonly List<IByteConnection> _connections = [];
    private readonly List<Task> _receivers = [];
    private readonly SemaphoreSlim _answered = new(0);
    private ulong _pings;
    private long _lastAnswer;
    private ulong _incarnation = (ulong)random.NextInt64();

    public async Task SendAsync(long messages)
    {
        for (long sent = 0; sent < messages;)
        {
            try
            {
                await DialAsync();
                var goesOn = true;
                while (goesOn && sent < messages && random.Next(200) != 0)
                {
                    sent += await SendBatchAsync();
                    goesOn = await IsAnsweredAsync();
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                statistics.CountClosed();
            }

            await HangUpAsync();
        }
    }

    private async Task DialAsync()
    {
        statistics.CountLife();
        while (_answered.Wait(0))
        {
            // Answers that came after they were given up.
        }

        frames.DamageOneIn = DamageRates[random.Next(DamageRates.Length)];
        if (random.Next(2) == 0)
        {
            _incarnation = (ulong)random.NextInt64();
        }

        var version = random.Next(4) == 0 ? KsockHello.Version2 : KsockHello.Version3;
        for (var i = random.Next(1, MostConnections); i > 0; i--)
        {
            var connection = await target.ConnectAsync();
            _connections.Add(connection);
            var type = _connections.Count == 1 ? ConnectionType.Control : (ConnectionType)random.Next(4);
            await SendPiecesAsync(connection, frames.Greeting(type, _incarnation, version));
            _receivers.Add(Task.Run(() => ReceiveAsync(connection)));
        }
    }

    private async Task HangUpAsync()
    {
        foreach (var connection in _connections)
        {
            if (random.Next(4) == 0)
            {
                BreakOff(connection);
            }

            connection.Dispose();
        }

        _connections.Clear();
        await Task.WhenAll(_receivers);
        _receivers.Clear();
    }

    /// <summary>A message that is begun and never ends.</summary>
    private void BreakOff(IByteConnection connection)
    {
        _batch.ResetWrittenCount();
        frames.Append(_batch);
        try
        {
            connection.TrySend([_batch.WrittenMemory[..random.Next(1, _batch.WrittenCount)]]);
        }
        catch (IOException)
        {
            // The node was first.
        }
    }

    /// <summary>Returns how many messages it had.</summary>
    private async Task<int> SendBatchAsync()
    {
        _batch.ResetWrittenCount();
        var count = random.Next(1, 100);
        for (var i = 1; i <= count; i++)
        {
            frames.Append(_batch);
            if (_batch.WrittenCount >= BatchBytes)
            {
                count = i;
            }
        }

        frames.AppendPing(_batch, ++_pings);
        await SendPiecesAsync(_connections[random.Next(_connections.Count)], _batch.WrittenMemory);
        statistics.CountSent(count);
        return count;
    }

    /// <summary>
    /// Waits for the answer to the ping behind the last batch: until then the node may not have looked at it. False when none comes:
    /// the connection is closed, or the node takes the ping for a part of something else.
    /// </summary>
    private async Task<bool> IsAnsweredAsync()
    {
        var closed = Task.WhenAny(_receivers);
        if (await Task.WhenAny(_answered.WaitAsync(AnswerLimit), closed) == closed)
        {
            throw new IOException("closed by the node");
        }

        return Interlocked.Read(ref _lastAnswer) == (long)_pings;
    }

    private async Task SendPiecesAsync(IByteConnection connection, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var piece = random.Next(4) == 0 ? random.Next(1, Math.Min(bytes.Length, 500) + 1) : bytes.Length;
            await connection.SendAsync(bytes[..piece]).AsTask().WaitAsync(SendLimit);
            bytes = bytes[piece..];
        }
    }

    /// <summary>Takes everything, and remembers the handles in it.</summary>
    private async Task ReceiveAsync(IByteConnection connection)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((2 << 20) + 4096);
        try
        {
            var greeted = false;
            for (var have = 0; await connection.ReceiveAsync(buffer.AsMemory(have)) is var got and > 0;)
            {
                have += got;
                var used = 0;
                while (TryTake(buffer.AsSpan(used, have - used), ref greeted, out var length))
                {
                    used += length;
                }

                buffer.AsSpan(used, have - used).CopyTo(buffer);
                have -= used;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryTake(ReadOnlySpan<byte> bytes, ref bool greeted, out int length)
    {
        length = greeted ? FrameLength(bytes) : KsockHello.Size;
        if (length == 0 || length > bytes.Length)
        {
            return false;
        }

        if (greeted && length >= LnetMessage.Size)
        {
            statistics.CountAnswer();
            ref readonly var header = ref MemoryMarshal.AsRef<LnetMessage>(bytes).Lnet;
            if (header.Type == LnetMessageType.Get)
            {
                frames.Harvest(header.Get.ReturnHandle);
            }
            else if (header.Type == LnetMessageType.Reply && header.Reply.DstHandle.InterfaceCookie == FramingFrames.PingCookie)
            {
                Volatile.Write(ref _lastAnswer, (long)header.Reply.DstHandle.ObjectCookie);
                _answered.Release();
            }
            else if (header.Type == LnetMessageType.Put)
            {
                frames.Harvest(header.Put.AckHandle);
            }
        }

        greeted = true;
        return true;
    }

    private static int FrameLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < KsockHeader.Size)
        {
            return 0;
        }

        if (MemoryMarshal.Read<KsockHeader>(bytes).Type == KsockMessageType.Noop)
        {
            return KsockHeader.Size;
        }

        return bytes.Length < LnetMessage.Size ? 0 : LnetMessage.Size + (int)MemoryMarshal.Read<LnetMessage>(bytes).Lnet.PayloadLength;
    }
}

/// <summary>Counts what went over the wire, so that a run that attacks nothing does not pass for one that does no harm.</summary>
public sealed class FramingStatistics
{
    private long _sent;
    private long _answers;
    private long _lives;
    private long _closed;

    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Messages of the node to the attackers.</summary>
    public long Answers => Interlocked.Read(ref _answers);

    internal void CountSent(int messages) => Interlocked.Add(ref _sent, messages);

    internal void CountAnswer() => Interlocked.Increment(ref _answers);

    internal void CountLife() => Interlocked.Increment(ref _lives);

    internal void CountClosed() => Interlocked.Increment(ref _closed);

    public override string ToString() =>
        $"{Sent:n0} sent, {Answers:n0} received, {Interlocked.Read(ref _lives):n0} sets of connections, {Interlocked.Read(ref _closed):n0} of them closed by the node";
}
