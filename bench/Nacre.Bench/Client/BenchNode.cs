using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Client;

/// <summary>
/// One LNet node of the load generator with the three connections of a kernel client, driven by one thread that sends, waits
/// and receives: no locks, no thread hops, no allocation per RPC.
/// <para>It is not the product's <see cref="LNetNode"/> on purpose. What is measured is the server, and the generator's
/// processor time comes out of the same two cores; and a fault that both ends share would go unnoticed.</para>
/// </summary>
internal sealed class BenchNode : IDisposable
{
    /// <summary>Requests that may follow a pending one before its entry is needed again; far more than any concurrency.</summary>
    private const int PendingEntries = 1 << 16;

    /// <summary>Gap between two xids; the low bits number the bulk descriptors of one request (02 section 3.7).</summary>
    private const int XidStep = 64;

    /// <summary>Longest silence while requests are in flight.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BenchSocket _control;
    private readonly BenchSocket _bulkIn;
    private readonly BenchSocket _bulkOut;
    private readonly Pending[] _pending = new Pending[PendingEntries];
    private readonly LinuxCalls.PollDescriptor[] _poll = new LinuxCalls.PollDescriptor[3];
    private ulong _xid = ((ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds() << 20) & ~(ulong)(XidStep - 1);

    /// <exception cref="IOException">No LNet node answers there under this NID.</exception>
    public BenchNode(IPEndPoint server, PeerId serverId, Nid local)
    {
        Route = new Route(new PeerId(local, PeerId.LustrePid), serverId);
        var incarnation = (ulong)Stopwatch.GetTimestamp() ^ ((ulong)Environment.ProcessId << 40);
        _control = Open(Handshake.Control);
        _bulkIn = Open(Handshake.BulkIn);
        _bulkOut = Open(Handshake.BulkOut);
        _poll[0] = new() { Descriptor = _control.Descriptor, Events = LinuxCalls.PollIn };
        _poll[1] = new() { Descriptor = _bulkIn.Descriptor, Events = LinuxCalls.PollIn };
        _poll[2] = new() { Descriptor = _bulkOut.Descriptor, Events = LinuxCalls.PollIn };

        BenchSocket Open(int type) => new(Handshake.Open(server, Route, incarnation, type), this);
    }

    private struct Pending
    {
        public ulong Xid;
        public IExchange? Owner;
        public int Slot;
    }

    public Route Route { get; }

    /// <summary>Requests without a reply so far.</summary>
    public int InFlight { get; private set; }

    /// <summary>Requests registered so far.</summary>
    public long Requests { get; private set; }

    /// <summary>Bytes sent and received so far on all connections.</summary>
    public long BytesOut => _control.BytesOut + _bulkIn.BytesOut + _bulkOut.BytesOut;

    public long BytesIn => _control.BytesIn + _bulkIn.BytesIn + _bulkOut.BytesIn;

    /// <summary>When the replies now handled were there (<see cref="Stopwatch"/> ticks).</summary>
    public long ArrivedAt { get; private set; }

    /// <summary>
    /// Everything that is expected arrives on CONTROL: one blocking receive a batch, as in the echo floor. Otherwise the three
    /// connections are polled.
    /// </summary>
    public bool ControlOnly { get; set; }

    /// <summary>See <see cref="BenchSocket.ReadAhead"/>; of the connection large payloads arrive on.</summary>
    public int BulkReadAhead { set => _bulkIn.ReadAhead = value; }

    /// <summary>A fresh xid whose low six bits are 0; remembers who is to get what arrives for it.</summary>
    public ulong Register(IExchange owner, int slot)
    {
        _xid += XidStep;
        ref var entry = ref Entry(_xid);
        if (entry.Owner is not null) throw new TimeoutException($"no reply to request {entry.Xid:x} for {PendingEntries} requests");
        entry = new Pending { Xid = _xid, Owner = owner, Slot = slot };
        InFlight++;
        Requests++;
        return _xid;
    }

    /// <summary>Queues a complete frame for the connection that kernels would take (01 section 5.2).</summary>
    public void Append(ReadOnlySpan<byte> frame) => (frame.Length < Frame.MinBulk ? _control : _bulkOut).Append(frame);

    /// <summary>Sends what is queued.</summary>
    public void Flush()
    {
        _control.Flush();
        _bulkOut.Flush();
    }

    /// <summary>Waits for messages and handles all that arrived.</summary>
    /// <exception cref="TimeoutException">Nothing came for <see cref="Patience"/>.</exception>
    public void Pump()
    {
        if (ControlOnly)
        {
            _control.Receive();
            return;
        }

        if (LinuxCalls.Poll(_poll, (int)Patience.TotalMilliseconds) == 0)
        {
            throw new TimeoutException($"no message for {Patience.TotalSeconds:0} s with {InFlight} requests in flight");
        }

        if (_poll[0].Returned != 0) _control.Receive();
        if (_poll[1].Returned != 0) _bulkIn.Receive();
        if (_poll[2].Returned != 0) _bulkOut.Receive();
        _bulkIn.Flush();
    }

    public void Dispose()
    {
        _control.Dispose();
        _bulkIn.Dispose();
        _bulkOut.Dispose();
    }

    internal static bool IsBulkPut(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[Frame.MessageType..]) == Frame.Put
        && BinaryPrimitives.ReadInt32LittleEndian(frame[Frame.PutPortal..]) == Portal.OstBulk;

    internal ArraySegment<byte> SinkFor(ReadOnlySpan<byte> frame, int length)
    {
        ref var entry = ref EntryOf(frame, out var bits);
        var sink = entry.Owner!.Sink(entry.Slot, Descriptor(bits));
        if (length > sink.Count) throw new InvalidDataException($"a bulk PUT of {length} bytes for a buffer of {sink.Count}");
        return sink;
    }

    internal void OnSinkComplete(ReadOnlySpan<byte> frame, int length)
    {
        ref var entry = ref EntryOf(frame, out var bits);
        AcknowledgePut(frame, bits, length);
        entry.Owner!.OnStored(entry.Slot, Descriptor(bits), length);
    }

    internal void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> payload)
    {
        var type = BinaryPrimitives.ReadUInt32LittleEndian(frame[Frame.MessageType..]);
        switch (type)
        {
            case Frame.Put:
                OnPut(frame, payload);
                break;
            case Frame.Get:
                OnGet(frame);
                break;
            default:
                throw new InvalidDataException($"an LNet message of type {type} that nobody asked for");
        }
    }

    private void OnPut(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> payload)
    {
        var portal = BinaryPrimitives.ReadInt32LittleEndian(frame[Frame.PutPortal..]);
        if (portal is not (Portal.MdcReply or Portal.OscReply or Portal.MgcReply))
        {
            throw new InvalidDataException($"a PUT to portal {portal}: the load is made so that no lock is ever called back");
        }

        ref var entry = ref EntryOf(frame, out var bits);
        AcknowledgePut(frame, bits, payload.Length);
        if (IsEarlyReply(frame, payload)) return;
        var (owner, slot) = (entry.Owner!, entry.Slot);
        entry.Owner = null;
        InFlight--;
        ArrivedAt = Stopwatch.GetTimestamp();
        owner.OnReply(slot, payload);
    }

    /// <summary>With adaptive timeouts a final reply is placed at offset 224; only connects are answered at 0 (02 section 6.4).</summary>
    private static bool IsEarlyReply(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> payload) =>
        BinaryPrimitives.ReadInt32LittleEndian(frame[Frame.PutOffset..]) == 0 && payload.Length == MessageLayout.EarlyReplySize
        && LustreMessage.TryParse(payload, out var message) == MessageError.None && message.Header.Checksum != 0;

    private void OnGet(ReadOnlySpan<byte> frame)
    {
        ref var entry = ref EntryOf(frame, out var bits);
        var length = BinaryPrimitives.ReadInt32LittleEndian(frame[Frame.SinkLength..]);
        var source = entry.Owner!.Source(entry.Slot, Descriptor(bits), length);
        var message = source.Array.AsSpan(source.Offset - Frame.Size, Frame.Size + length);
        Frame.Write(message, Route, Frame.Reply, length);
        frame.Slice(Frame.Handle, Frame.HandleSize).CopyTo(message[Frame.Handle..]);
        (message.Length < Frame.MinBulk ? _control : _bulkOut).Send(message);
    }

    private void AcknowledgePut(ReadOnlySpan<byte> put, ulong matchBits, int stored)
    {
        var handle = put.Slice(Frame.Handle, Frame.HandleSize);
        if (!handle.ContainsAnyExcept((byte)0xFF)) return;
        Span<byte> ack = stackalloc byte[Frame.Size];
        Frame.Write(ack, Route, Frame.Ack, 0);
        handle.CopyTo(ack[Frame.Handle..]);
        BinaryPrimitives.WriteUInt64LittleEndian(ack[Frame.MatchBits..], matchBits);
        BinaryPrimitives.WriteInt32LittleEndian(ack[Frame.AckLength..], stored);
        _control.Append(ack);
    }

    private ref Pending EntryOf(ReadOnlySpan<byte> frame, out ulong matchBits)
    {
        matchBits = BinaryPrimitives.ReadUInt64LittleEndian(frame[Frame.MatchBits..]);
        ref var entry = ref Entry(matchBits);
        if (entry.Owner is null || entry.Xid != (matchBits & ~(ulong)(XidStep - 1)))
        {
            throw new InvalidDataException($"a message with match bits {matchBits:x}, which no pending request has");
        }

        return ref entry;
    }

    private ref Pending Entry(ulong matchBits) => ref _pending[(int)(matchBits / XidStep) & (PendingEntries - 1)];

    private static int Descriptor(ulong matchBits) => (int)(matchBits & (XidStep - 1));
}
