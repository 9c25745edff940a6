using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.MdtService;

/// <summary>The reply a client got: its buffers, the body first.</summary>
internal sealed record RpcAnswer(byte[] Message)
{
    public PtlrpcBody Body
    {
        get
        {
            Parse().ReadBody(out var body);
            return body;
        }
    }

    public int Status => Body.Status;
    public ulong Transno => Body.Transno;

    public int[] Lengths
    {
        get
        {
            var message = Parse();
            var lengths = new int[message.BufferCount - 1];
            for (int i = 0; i < lengths.Length; i++)
                lengths[i] = message.BufferLength(i + 1);
            return lengths;
        }
    }

    public byte[] Buffer(int index) => Parse().Buffer(index).ToArray();

    public T Get<T>(int index)
        where T : unmanaged => MemoryMarshal.Read<T>(Parse().Buffer(index));

    private LustreMessage Parse() => LustreMessage.TryParse(Message, out var message) == MessageError.None
        ? message
        : throw new InvalidDataException("not a message");
}

/// <summary>What the server called back: the opcode and the request's first buffer.</summary>
internal sealed record Callback(uint Opcode, LdlmRequest Request);

/// <summary>
/// A client that sends exactly the bytes a test says, and gives locks back like a kernel client when they are called back. The
/// RPCs of one kind each are in ScriptedClient.Operations.cs.
/// </summary>
internal sealed partial class ScriptedClient : IPutReceiver, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LNetNode _node;
    private readonly string _uuid;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<RpcAnswer>> _waiting = new();
    private long _lastXid;
    private ulong _export;
    private long _nextLockHandle;

    public ScriptedClient(LNetNode node, string uuid)
    {
        _node = node;
        _uuid = uuid;
        // Xids of different clients may be equal; here they differ so that failures are easier to read.
        _lastXid = Convert.ToInt64(uuid[^4..], 10) << 32;
        _nextLockHandle = _lastXid;
        _node.Serve(Portal.MdcReply, this);
        _node.Serve(Portal.LdlmCallbackRequest, this);
        _node.Serve(Portal.LdlmCancelReply, this);
    }

    public ObdConnectData Granted { get; private set; }

    /// <summary>Everything called back so far.</summary>
    public ConcurrentQueue<Callback> Callbacks { get; } = [];

    /// <summary>Whether a lock that is called back is cancelled at once. False: the test does it.</summary>
    public bool CancelsWhenAsked { get; set; } = true;

    /// <summary>Done before the cancel of a lock that was called back, e.g. a close.</summary>
    public Func<Callback, Task>? BeforeCancel { get; set; }

    /// <summary>Locks that came with AST_SENT.</summary>
    public int ContendedReplies { get; private set; }

    public ulong NextXid() => (ulong)Interlocked.Add(ref _lastXid, 64);

    public async Task ConnectAsync(Func<ObdConnectData, ObdConnectData>? wish = null)
    {
        // What a 2.15 client asks of an MDT (02 section 10.5).
        var wanted = new ObdConnectData
        {
            Flags = (ConnectFlags)0xae7e5e7be374d3b8,
            Flags2 = (ConnectFlags2)0xc1effbd,
            Version = ObdConnectData.Version2158,
            BrwSize = 1 << 20,
            IbitsKnown = 0x7f,
            ChecksumTypes = 0xf7,
        };
        wanted = wish?.Invoke(wanted) ?? wanted;
        var answer = await SendAsync(Opcode.MdsConnect, Portal.MdsRequest, [
            Uuid(MdtServer.Uuid), Uuid(_uuid), Bytes(0xc0ffeeUL), Bytes(wanted), []], operation: ConnectOperationFlags.Initial);
        Assert.Equal(0, answer.Status);
        _export = answer.Body.Handle;
        Granted = answer.Get<ObdConnectData>(1);
    }

    public async Task<RpcAnswer> SendAsync(
        uint opcode, int portal, byte[][] buffers, ulong xid = 0, bool resent = false, ConnectOperationFlags operation = 0)
    {
        if (xid == 0)
            xid = NextXid();
        var waiter = new TaskCompletionSource<RpcAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[xid] = waiter;
        Assert.True(_node.TryPut(
            MdtServer.Peer, _node.LocalNid, portal, xid, 0, Pack(opcode, buffers, xid, resent, operation)));
        var answer = await waiter.Task.WaitAsync(Patience);
        if (opcode == Opcode.LdlmEnqueue && answer.Status == 0)
            ObeyReply(answer.Get<LdlmReply>(1));
        return answer;
    }

    /// <summary>A lock that was wanted by others before its reply left comes with AST_SENT: no callback follows, the flag is it
    /// (03 section 8.2).</summary>
    private void ObeyReply(LdlmReply reply)
    {
        if ((reply.LockFlags & LdlmFlags.AstSent) == 0)
            return;
        ContendedReplies++;
        if (CancelsWhenAsked)
            _ = Task.Run(() => CancelAsync(reply.LockHandle));
    }

    private byte[] Pack(uint opcode, byte[][] buffers, ulong xid, bool resent, ConnectOperationFlags operation)
    {
        var builder = new MessageBuilder();
        builder.Start([.. buffers.Select(b => b.Length)]);
        for (int i = 0; i < buffers.Length; i++)
            buffers[i].CopyTo(builder.Buffer(i + 1));
        builder.Header.ReplySize = 1 << 20;
        builder.Body = new PtlrpcBody
        {
            Handle = _export,
            Type = MessageType.Request,
            Version = Opcode.VersionOf(opcode) | ServiceVersion.Message,
            Opcode = opcode,
            Flags = resent ? BodyFlags.Resent : BodyFlags.None,
            OperationFlags = operation,
            ConnectionCount = 1,
            Timeout = 100,
            MatchBits = xid,
        };
        return builder.Finish().ToArray();
    }

    void IPutReceiver.OnPut(in IncomingPut put)
    {
        var payload = put.Payload.ToArray();
        if (put.Portal == Portal.LdlmCallbackRequest)
        {
            ulong xid = put.MatchBits;
            _ = Task.Run(() => AnswerCallbackAsync(xid, payload));
        }
        else if (LustreMessage.TryParse(payload, out _) == MessageError.None && _waiting.TryRemove(put.MatchBits, out var waiter))
        {
            waiter.TrySetResult(new RpcAnswer(payload));
        }
    }

    private async Task AnswerCallbackAsync(ulong xid, byte[] payload)
    {
        var request = new RpcAnswer(payload);
        if (request.Body.Opcode == Opcode.LdlmSetInfo)
        {
            AnswerSetInfo(xid, request);
            return;
        }
        var callback = new Callback(request.Body.Opcode, request.Get<LdlmRequest>(1));
        Callbacks.Enqueue(callback);
        var builder = new MessageBuilder();
        builder.Start([]);
        builder.Body = new PtlrpcBody { Type = MessageType.Reply, Version = ServiceVersion.Message, Opcode = callback.Opcode };
        _node.TryPut(MdtServer.Peer, _node.LocalNid, Portal.LdlmCallbackReply, xid, 0, builder.Finish());
        if (callback.Opcode != Opcode.LdlmBlCallback || !CancelsWhenAsked)
            return;
        if (BeforeCancel != null)
            await BeforeCancel(callback);
        await CancelAsync(callback.Request.Handle1);
    }

    /// <summary>Gives a lock back by its server handle.</summary>
    public Task<RpcAnswer> CancelAsync(ulong handle) => SendAsync(
        Opcode.LdlmCancel, Portal.LdlmCancelRequest, [Bytes(new LdlmRequest { LockCount = 1, Handle0 = handle })]);

    public Task<RpcAnswer> DisconnectAsync() => SendAsync(Opcode.MdsDisconnect, Portal.MdsRequest, []);

    /// <summary>Waits until the server has called something back.</summary>
    public async Task<Callback> WaitForCallbackAsync(uint opcode = Opcode.LdlmBlCallback)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (Callbacks.FirstOrDefault(c => c.Opcode == opcode) is { } found)
                return found;
            await Task.Delay(5, limit.Token);
        }
    }

    public async ValueTask DisposeAsync() => await _node.DisposeAsync();

    public static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new Span<T>(ref value)).ToArray();

    public static byte[] Text(string name) => Encoding.UTF8.GetBytes(name + '\0');

    private static byte[] Uuid(string uuid)
    {
        var bytes = new byte[39];
        Encoding.ASCII.GetBytes(uuid, bytes);
        return bytes;
    }
}
