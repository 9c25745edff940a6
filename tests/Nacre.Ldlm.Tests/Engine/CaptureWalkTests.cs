using System.Runtime.InteropServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>
/// The exchange of 03 section 23 (e) between two genuine clients and genuine targets, done again by the engine: the same
/// requests in the same order get the same answers and cause the same callbacks.
/// </summary>
public sealed class CaptureWalkTests : IDisposable
{
    private readonly Harness _h = new();
    private readonly Dictionary<string, FakeClient> _clients = [];

    // By the genuine server's handle.
    private readonly Dictionary<ulong, LdlmLock> _locks = [];

    public void Dispose() => _h.Dispose();

    [Fact]
    public async Task LocksCaptureIsAnsweredAsTheGenuineServerDid()
    {
        var rpcs = CaptureReader.Rpcs("locks");
        var waits = 0;
        foreach (var rpc in rpcs)
        {
            if (rpc.Reply is null || rpc.Request.Message.BufferLength(1) < LdlmRequest.Size)
                continue;
            var request = MemoryMarshal.Read<LdlmRequest>(rpc.Request.Message.Buffer(1));
            if (rpc.Request.Body.Opcode == Opcode.LdlmCancel)
            {
                if (_locks.TryGetValue(request.Handle0, out var cancelled))
                    Assert.Equal(1, _h.Cancel(cancelled));
            }
            else if (rpc.Request.Body.Opcode == Opcode.LdlmEnqueue)
            {
                waits += await EnqueueAsync(ClientOf(rpc), request, rpc.Reply) ? 1 : 0;
            }
        }
        Assert.True(waits >= 4);
        CompareCallbacks(rpcs);
    }

    /// <summary>True if the lock waits.</summary>
    private async Task<bool> EnqueueAsync(FakeClient client, LdlmRequest request, CapturedMessage genuine)
    {
        var type = request.LockDesc.Resource.Type;
        var reply = MemoryMarshal.Read<LdlmReply>(genuine.Message.Buffer(1));
        if (type == LockType.Flock)
            return EnqueueFlock(client, request, genuine.Body.Status, reply);
        if (type != LockType.Extent)
            return false;

        var glimpse = (request.LockFlags & LdlmFlags.HasIntent) != 0;
        var l = new LdlmLock(client.Owner, request.Handle0, request.LockDesc.ReqMode, request.LockDesc.Policy);
        _h.Enqueue(l, request.LockDesc.Resource.Name, type, glimpse ? WaitRule.Never : WaitRule.Wait);
        if (genuine.Body.Status == LdlmStatus.LockAborted)
        {
            Assert.Equal(EnqueueResult.Conflict, _h.LastResult);
            await _h.Table.GlimpseAsync(request.LockDesc.Resource.Name);
            return false;
        }
        _locks[reply.LockHandle] = l;
        var flags = reply.LockFlags & ~LdlmFlags.HasIntent;
        Assert.Equal(glimpse ? flags & ~LdlmFlags.LockChanged : flags, _h.LastReply.LockFlags);
        // A genuine reply may show what was granted while it was built (03 section 8.2).
        if (_h.LastResult == EnqueueResult.Granted)
            Assert.Equal((reply.LockDesc.GrantedMode, reply.LockDesc.Policy.Start, reply.LockDesc.Policy.End),
                (l.Mode, l.Policy.Start, l.Policy.End));
        return _h.LastResult == EnqueueResult.Waiting;
    }

    private bool EnqueueFlock(FakeClient client, LdlmRequest request, int status, LdlmReply reply)
    {
        var l = new LdlmLock(client.Owner, request.Handle0, request.LockDesc.ReqMode, request.LockDesc.Policy);
        var result = _h.Table.EnqueueFlock(
            l, request.LockDesc.Resource.Name, wait: (request.LockFlags & LdlmFlags.BlockNoWait) == 0);
        var expected = status == -Errno.EAGAIN ? EnqueueResult.Conflict
            : (reply.LockFlags & LdlmFlags.BlockGranted) != 0 ? EnqueueResult.Waiting
            : EnqueueResult.Granted;
        Assert.Equal(expected, result);
        return result == EnqueueResult.Waiting;
    }

    /// <summary>Every callback about an EXTENT or FLOCK lock went to the same lock of the same client, and no other did.</summary>
    private void CompareCallbacks(IReadOnlyList<CapturedRpc> rpcs)
    {
        var genuine = rpcs
            .Where(rpc => rpc.Request.Body.Opcode is >= Opcode.LdlmBlCallback and <= Opcode.LdlmGlCallback)
            .Select(rpc => (rpc.Request.Body.Opcode, Request: MemoryMarshal.Read<LdlmRequest>(rpc.Request.Message.Buffer(1))))
            .Where(call => call.Request.LockDesc.Resource.Type is LockType.Extent or LockType.Flock)
            .Select(call => Describe(call.Opcode, call.Request));
        var ours = _clients.Values.SelectMany(client => client.All).Select(call => Describe(call.Opcode, call.Request));
        Assert.Equal(genuine.Order(), ours.Order());
    }

    private static string Describe(uint opcode, in LdlmRequest request) =>
        $"{Opcode.Name(opcode)} {request.Handle0:x} {request.LockDesc.ReqMode} {request.LockDesc.GrantedMode} "
        + $"[{request.LockDesc.Policy.Start:x}-{request.LockDesc.Policy.End:x}] {request.LockFlags}";

    private FakeClient ClientOf(CapturedRpc rpc)
    {
        var node = rpc.Request.Source.ToString()!.Split(':')[0];
        if (!_clients.TryGetValue(node, out var client))
            _clients[node] = client = _h.NewClient();
        return client;
    }
}
