using System.Runtime.InteropServices;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Testing.Rpc;

/// <summary>
/// A client without an engine of its own: it sends exactly what the test says and shows exactly what comes back. The helpers fill in what
/// a test does not care about.
/// </summary>
public sealed class ScriptedClient : IAsyncDisposable
{
    private ulong _xid = 0x0006500000000000;

    public ScriptedClient(LNetNode node, PeerId server, string? uuid = null)
    {
        Node = node;
        Server = server;
        Uuid = uuid ?? Guid.NewGuid().ToString();
        ClientHandle = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
    }

    public LNetNode Node { get; }

    public PeerId Server { get; }

    public string Uuid { get; }

    /// <summary>Goes into the CONN buffer.</summary>
    public ulong ClientHandle { get; set; }

    /// <summary>Export handle of the last connect.</summary>
    public ulong Handle { get; set; }

    public uint ConnectionCount { get; set; }

    /// <summary>Flags of the next requests.</summary>
    public MessageFlags Flags { get; set; } = MessageFlags.AdaptiveTimeouts | MessageFlags.ChecksumIncompat18;

    public uint Timeout { get; set; } = 30;

    public ulong NextXid() => _xid += 64;

    /// <summary>A message with a request body; buffers behind it by length.</summary>
    public MessageBuilder NewRequest(uint opcode, params ReadOnlySpan<int> lengths)
    {
        var message = new MessageBuilder();
        message.Start(lengths);
        message.Header.Flags = Flags;
        ref var body = ref message.Body;
        body.Handle = Handle;
        body.Type = MessageType.Request;
        body.Version = Opcode.VersionOf(opcode) | ServiceVersion.Message;
        body.Opcode = opcode;
        body.ConnectionCount = ConnectionCount;
        body.Timeout = Timeout;
        return message;
    }

    /// <summary>A connect request of this client, the counter one higher than before.</summary>
    public MessageBuilder NewConnect(FakeTarget target, ObdConnectData? wanted = null, bool? initial = null)
    {
        var opcode = target.Kind switch
        {
            TargetKind.Mgs => Opcode.MgsConnect,
            TargetKind.Mdt => Opcode.MdsConnect,
            _ => Opcode.OstConnect,
        };
        var message = NewRequest(opcode, ObdUuid.BufferSize, ObdUuid.BufferSize, LustreHandle.Size, ObdConnectData.Size, 0);
        message.Header.Flags = MessageFlags.None;
        ref var body = ref message.Body;
        body.ConnectionCount = ++ConnectionCount;
        body.Timeout = 5;
        body.OperationFlags = initial ?? Handle == 0 ? ConnectOperationFlags.Initial : ConnectOperationFlags.None;
        ObdUuid.Write(target.Uuid, message.Buffer(1));
        ObdUuid.Write(Uuid, message.Buffer(2));
        message.Get<LustreHandle>(3) = ClientHandle;
        message.Get<ObdConnectData>(4) = wanted ?? DefaultWanted;
        return message;
    }

    /// <summary>FULL20 and AT, with match bits for bulk, and nothing else.</summary>
    public static ObdConnectData DefaultWanted => new()
    {
        Flags = ConnectFlags.Full20 | ConnectFlags.At | ConnectFlags.Version | ConnectFlags.BulkMbits,
        Version = ObdConnectData.Version2158,
    };

    /// <summary>Connects; takes the handle over when the server agrees.</summary>
    public async Task<ScriptedReply> ConnectAsync(FakeTarget target, ObdConnectData? wanted = null, bool? initial = null)
    {
        var reply = await CallAsync(DefaultPortal(target.Kind), NewConnect(target, wanted, initial));
        if (reply.Body.Status == 0)
        {
            Handle = reply.Body.Handle;
        }

        return reply;
    }

    /// <summary>Sends a request and waits for its final reply.</summary>
    public async Task<ScriptedReply> CallAsync(int portal, MessageBuilder message, ulong xid = 0)
    {
        using var call = Send(portal, message, xid == 0 ? NextXid() : xid);
        return await call.FinalAsync();
    }

    /// <summary>Sends a request; the result shows all that is sent back.</summary>
    public ScriptedCall Send(int portal, MessageBuilder message, ulong xid, ulong? replyBits = null) =>
        Send(portal, message.Finish(), xid, replyBits);

    public ScriptedCall Send(int portal, ReadOnlySpan<byte> message, ulong xid, ulong? replyBits = null)
    {
        var adaptive = message.Length >= MessageHeader.Size
            && (MemoryMarshal.Read<MessageHeader>(message).Flags & MessageFlags.AdaptiveTimeouts) != 0;
        var call = new ScriptedCall(Node, Server, Portal.ReplyOf(portal), replyBits ?? xid, adaptive);
        if (!Node.TryPut(Server, Node.LocalNid, portal, xid, 0, message))
        {
            throw new InvalidOperationException("no connection to the server");
        }

        return call;
    }

    public static int DefaultPortal(TargetKind kind) => kind switch
    {
        TargetKind.Mgs => Portal.MgsRequest,
        TargetKind.Mdt => Portal.MdsRequest,
        _ => Portal.OstRequest,
    };

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>One PUT to the reply buffer.</summary>
public sealed record ScriptedReply(int Offset, byte[] Bytes)
{
    public LustreMessage Message => LustreMessage.TryParse(Bytes, out var message) == MessageError.None
        ? message
        : throw new InvalidDataException("the reply is not a message");

    public PtlrpcBody Body
    {
        get
        {
            Message.ReadBody(out var body);
            return body;
        }
    }
}

/// <summary>A request under way: everything that arrives for it, in order.</summary>
public sealed class ScriptedCall : IPostedEvents, IDisposable
{
    private readonly byte[] _memory = new byte[64 << 10];
    private readonly List<ScriptedReply> _replies = [];
    private readonly TaskCompletionSource<ScriptedReply> _final = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PostedBuffer _posted;
    private readonly bool _adaptive;

    public ScriptedCall(LNetNode node, PeerId server, int portal, ulong matchBits, bool adaptive)
    {
        _adaptive = adaptive;
        _posted = node.Post(
            portal,
            server,
            matchBits,
            _memory,
            PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset | PostOptions.Truncate,
            this);
    }

    /// <summary>Early and final replies so far.</summary>
    public IReadOnlyList<ScriptedReply> Replies
    {
        get
        {
            lock (_replies)
            {
                return [.. _replies];
            }
        }
    }

    public bool IsAnswered => _final.Task.IsCompleted;

    /// <summary>The final reply, told from an early one by its offset alone, as kernel clients do.</summary>
    public Task<ScriptedReply> FinalAsync() => _final.Task.Within();

    public void Dispose() => _posted.Dispose();

    void IPostedEvents.OnPut(PostedBuffer buffer, int offset, int stored, int sent)
    {
        var reply = new ScriptedReply(offset, _memory.AsSpan(offset, stored).ToArray());
        lock (_replies)
        {
            _replies.Add(reply);
        }

        if (!_adaptive || offset == MessageLayout.EarlyReplySize)
        {
            _final.TrySetResult(reply);
        }
    }

    void IPostedEvents.OnGet(PostedBuffer buffer, int length)
    {
    }
}
