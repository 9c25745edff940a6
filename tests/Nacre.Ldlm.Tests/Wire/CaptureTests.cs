using System.Runtime.InteropServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;

namespace Nacre.Ldlm.Tests.Wire;

/// <summary>What genuine peers sent decodes, and encodes again to the same bytes.</summary>
public class CaptureTests
{
    public static TheoryData<string> Captures => [.. CaptureReader.Names];

    [Theory]
    [MemberData(nameof(Captures))]
    public void RequestsEncodeToTheSameBytes(string capture)
    {
        foreach (var rpc in LockRpcs(capture))
        {
            var buffer = rpc.Request.Message.Buffer(1).ToArray();
            var request = MemoryMarshal.Read<LdlmRequest>(buffer);
            var again = new byte[buffer.Length];
            MemoryMarshal.Write(again, new LdlmRequest
            {
                LockFlags = request.LockFlags,
                LockCount = request.LockCount,
                LockDesc = Again(request.LockDesc),
                Handle0 = request.Handle0,
                Handle1 = request.Handle1,
            });
            MemoryMarshal.AsBytes(LdlmRequest.Handles(buffer)).CopyTo(again.AsSpan(LdlmRequest.HandlesOffset));
            Assert.Equal(Convert.ToHexString(buffer), Convert.ToHexString(again));
            CheckFlags(rpc.Request.Body.Opcode, request.LockFlags);
        }
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void RepliesEncodeToTheSameBytes(string capture)
    {
        foreach (var rpc in LockRpcs(capture))
        {
            if (rpc.Request.Body.Opcode != Opcode.LdlmEnqueue || rpc.Reply is null || rpc.Reply.Message.BufferLength(1) == 0)
                continue;
            var buffer = rpc.Reply.Message.Buffer(1).ToArray();
            Assert.Equal(LdlmReply.Size, buffer.Length);
            var reply = MemoryMarshal.Read<LdlmReply>(buffer);
            var again = new byte[buffer.Length];
            MemoryMarshal.Write(again, new LdlmReply
            {
                LockFlags = reply.LockFlags,
                LockDesc = Again(reply.LockDesc),
                LockHandle = reply.LockHandle,
                LockPolicyRes1 = reply.LockPolicyRes1,
                LockPolicyRes2 = reply.LockPolicyRes2,
            });
            Assert.Equal(Convert.ToHexString(buffer), Convert.ToHexString(again));
        }
    }

    /// <summary>The engine's own encoders give what genuine servers sent, from the lock and the newcomer.</summary>
    [Theory]
    [MemberData(nameof(Captures))]
    public void CallbacksAreBuiltAsGenuineServersBuildThem(string capture)
    {
        foreach (var rpc in LockRpcs(capture))
        {
            var opcode = rpc.Request.Body.Opcode;
            if (opcode is not (Opcode.LdlmBlCallback or Opcode.LdlmCpCallback or Opcode.LdlmGlCallback))
                continue;
            var sent = rpc.Request.Message.Buffer(1).ToArray();
            var request = MemoryMarshal.Read<LdlmRequest>(sent);
            var built = new byte[sent.Length];
            MemoryMarshal.Write(built, request with { LockFlags = 0, LockCount = 0, Handle0 = 0, Handle1 = 0, LockDesc = default });
            Build(opcode, built, request);
            Assert.Equal(Convert.ToHexString(sent), Convert.ToHexString(built));
        }
    }

    private static void Build(uint opcode, byte[] body, LdlmRequest request)
    {
        var newcomer = new LdlmLock(null, 0, request.LockDesc.ReqMode, request.LockDesc.Policy)
        {
            Resource = ResourceOf(request.LockDesc),
            State = request.LockDesc.GrantedMode == LockMode.None ? LockState.Waiting : LockState.Granted,
        };
        var described = opcode == Opcode.LdlmBlCallback ? newcomer.DescribeAsBlocker() : newcomer.Describe();
        CallbackMessages.Completion(body, newcomer, described, request.LockFlags);
        // The handles are those of two locks that exist only in the capture.
        MemoryMarshal.Write(body.AsSpan(LdlmRequest.HandlesOffset), request.Handle0);
        MemoryMarshal.Write(body.AsSpan(LdlmRequest.HandlesOffset + 8), request.Handle1);
    }

    private static LockResource ResourceOf(in LdlmLockDesc desc) => desc.Resource.Type switch
    {
        LockType.Extent => new ExtentResource(desc.Resource.Name),
        LockType.Flock => new FlockResource(desc.Resource.Name),
        var type => new InodeBitsResource(desc.Resource.Name, type),
    };

    private static LdlmLockDesc Again(in LdlmLockDesc desc) => new()
    {
        Resource = new LdlmResourceDesc
        {
            Type = desc.Resource.Type,
            Name = new LdlmResId(desc.Resource.Name.Name0, desc.Resource.Name.Name1, desc.Resource.Name.Name2, desc.Resource.Name.Name3),
        },
        ReqMode = desc.ReqMode,
        GrantedMode = desc.GrantedMode,
        Policy = desc.Resource.Type switch
        {
            LockType.Extent => LdlmPolicy.Extent(desc.Policy.Start, desc.Policy.End, desc.Policy.Gid),
            LockType.Flock => LdlmPolicy.Flock(
                desc.Policy.Start, desc.Policy.End, desc.Policy.FlockOwner, desc.Policy.FlockPid),
            _ => LdlmPolicy.IBits(desc.Policy.Bits, desc.Policy.TryBits),
        },
    };

    private static void CheckFlags(uint opcode, LdlmFlags flags)
    {
        var allowed = opcode == Opcode.LdlmEnqueue ? LdlmFlags.EnqueueMask : LdlmFlags.CallbackMask;
        Assert.Equal(LdlmFlags.None, flags & ~allowed);
    }

    private static IEnumerable<CapturedRpc> LockRpcs(string capture) => CaptureReader.Rpcs(capture).Where(
        rpc => rpc.Request.Body.Opcode is >= Opcode.LdlmEnqueue and <= Opcode.LdlmGlCallback);
}
