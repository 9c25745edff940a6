using System.Runtime.InteropServices;
using Nacre.LNet.Connections;

namespace Nacre.LNet.Tests;

/// <summary>
/// The output queue against a list of bytes: whatever is queued, taken back and sent in pieces, the stream is what the list
/// says.
/// </summary>
public class OutputQueueTests
{
    private sealed class Owner(byte[] payload, int header) : IPayloadOwner
    {
        public long Ticket { get; set; } = OutputQueue.NotQueued;

        public byte[] Payload => payload;

        public int Header => header;

        public bool Released { get; private set; }

        public void OnPayloadReleased(bool sent) => Released = true;
    }

    /// <summary>What should come out: runs of bytes, each of a message.</summary>
    private sealed record Expected(byte[] Bytes, Owner? Owner);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AgreesWithAModel(int seed)
    {
        var random = new Random(seed);
        var pool = new BufferPool();
        var queue = new OutputQueue(pool);
        var expected = new LinkedList<Expected>();
        var released = new List<IPayloadOwner>();
        var pieces = new ReadOnlyMemory<byte>[5];
        var headSent = 0L;
        for (var step = 0; step < 4_000; step++)
        {
            // More is sent than queued in the long run, so the queue is empty now and then.
            switch (random.Next(7))
            {
                case 0:
                    Queue(random.Next(10) == 0 ? random.Next(100_000) : random.Next(1, 300));
                    break;
                case 1:
                    QueuePayload(random.Next(0, 50_000));
                    break;
                case 2:
                    TakeBack();
                    break;
                default:
                    Send();
                    break;
            }

            Assert.Equal(expected.Sum(e => (long)e.Bytes.Length) - headSent, queue.Bytes);
        }

        while (!queue.IsEmpty) Send();
        Assert.Empty(expected);
        Assert.Equal((0L, 0L, 0), (queue.Bytes, queue.CopiedBytes, pool.Outstanding));

        void Queue(int length)
        {
            var bytes = new byte[Math.Max(length, 1)];
            random.NextBytes(bytes);
            bytes.CopyTo(queue.Append(bytes.Length));
            expected.AddLast(new Expected(bytes, null));
        }

        void QueuePayload(int length)
        {
            var payload = new byte[length];
            random.NextBytes(payload);
            var header = new byte[96];
            random.NextBytes(header);
            var owner = new Owner(payload, header.Length);
            header.CopyTo(queue.Append(header.Length, payload, owner));
            expected.AddLast(new Expected(header, owner));
            expected.AddLast(new Expected(payload, owner));
        }

        void TakeBack()
        {
            var candidates = expected.Where(e => e.Owner is not null).Select(e => e.Owner!).Distinct().ToArray();
            if (candidates.Length == 0) return;
            var owner = candidates[random.Next(candidates.Length)];
            var untouched = expected.Count(e => e.Owner == owner) == 2 && (expected.First!.Value.Owner != owner || headSent == 0);
            // Nothing is in flight between sends, so what has not begun to leave can be taken back, and nothing else.
            Assert.Equal(untouched, queue.TryWithdraw(owner));
            if (!untouched) return;
            for (var node = expected.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Owner == owner) expected.Remove(node);
                node = next;
            }
        }

        void Send()
        {
            var count = queue.Peek(pieces, out var bytes);
            var offered = pieces.Take(count).SelectMany(p => p.ToArray()).ToArray();
            Assert.Equal(bytes, offered.Length);
            var sent = random.Next(3) == 0 ? offered.Length : random.Next(offered.Length + 1);
            var wanted = expected.SelectMany(e => e.Bytes).Skip((int)headSent).Take(sent);
            Assert.True(offered.AsSpan(0, sent).SequenceEqual(wanted.ToArray()));
            queue.Advance(sent, released);

            headSent += sent;
            while (expected.First is { } first && headSent >= first.Value.Bytes.Length)
            {
                headSent -= first.Value.Bytes.Length;
                expected.RemoveFirst();
            }

            foreach (var owner in released.Cast<Owner>())
            {
                owner.OnPayloadReleased(true);
                Assert.DoesNotContain(expected, e => e.Owner == owner && e.Bytes.Length > 0);
            }

            released.Clear();
        }
    }

    [Fact]
    public void WhatIsBeingSentCannotBeTakenBack()
    {
        var queue = new OutputQueue(new BufferPool());
        var first = new Owner(new byte[10], 4);
        var second = new Owner(new byte[10], 4);
        queue.Append(4, first.Payload, first);
        queue.Append(4, second.Payload, second);
        var pieces = new ReadOnlyMemory<byte>[8];
        queue.Peek(pieces, out _);
        Assert.False(queue.TryWithdraw(first));
        Assert.False(queue.TryWithdraw(second));
        queue.KeepFirstInFlight();
        Assert.False(queue.TryWithdraw(first));
        Assert.True(queue.TryWithdraw(second));
        Assert.Equal(14, queue.Bytes);
    }

    [Fact]
    public void ClearNamesEveryOwnerOnce()
    {
        var pool = new BufferPool();
        var queue = new OutputQueue(pool);
        var owners = Enumerable.Range(0, 20).Select(_ => new Owner(new byte[10], 4)).ToArray();
        foreach (var owner in owners) queue.Append(4, owner.Payload, owner);
        queue.Append(100);
        var released = new List<IPayloadOwner>();
        queue.Clear(released);
        Assert.Equal(owners, released);
        Assert.Equal((0L, 0), (queue.Bytes, pool.Outstanding));
    }

    [Fact]
    public void SmallMessagesAreOnePiece()
    {
        var queue = new OutputQueue(new BufferPool());
        for (var i = 0; i < 100; i++) queue.Append(100).Fill((byte)i);
        var pieces = new ReadOnlyMemory<byte>[8];
        Assert.Equal(1, queue.Peek(pieces, out var bytes));
        Assert.Equal(10_000, bytes);
        Assert.True(MemoryMarshal.TryGetArray(pieces[0], out _));
    }
}
