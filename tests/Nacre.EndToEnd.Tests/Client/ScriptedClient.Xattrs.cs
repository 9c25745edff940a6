using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Extended attributes (05 sections 3.5, 5.8 and 6.7).</summary>
public sealed partial class ScriptedClient
{
    private const int AllXattrBytes = 2500;

    /// <param name="flags">1 must not exist, 2 must exist.</param>
    public Task SetXattrAsync(LuFid fid, string name, byte[] value, uint flags = 0) =>
        ChangeXattrAsync(fid, name, value, ObdMd.FlCtime | ObdMd.FlXattr, flags);

    public Task RemoveXattrAsync(LuFid fid, string name) => ChangeXattrAsync(fid, name, [], ObdMd.FlCtime | ObdMd.FlXattrRm, 2);

    /// <summary>One value by MDS_GETXATTR; null when the attribute does not exist.</summary>
    public async Task<byte[]?> GetXattrAsync(LuFid fid, string name)
    {
        const int valueBytes = 65536;
        var call = new RpcCall(Opcode.MdsGetxattr, MdtBody.Size, 0, NameBytes(name), 0, 0) { ReplyBytes = valueBytes + 1024 };
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body);
        body.Fid1 = fid;
        body.Valid = ObdMd.FlId | ObdMd.FlXattr;
        body.EaDataSize = valueBytes;
        WriteName(call.Buffer(3), name);
        using var reply = await SendForStatusAsync(Mdt, call);
        if (reply.Status == -Errno.ENODATA)
        {
            return null;
        }

        reply.ThrowIfFailed();
        return reply.Buffer(2)[..(int)reply.Get<MdtBody>(1).EaDataSize].ToArray();
    }

    /// <summary>All attributes by the intent, as a kernel fills its cache.</summary>
    public async Task<Dictionary<string, byte[]>> GetAllXattrsAsync(LuFid fid)
    {
        var held = NewLock(Mdt, ResourceOf(fid), LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Xattr));
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtBody.Size, 0, 0) { ReplyBytes = 3376 };
        FillEnqueue(call, held, LdlmFlags.HasIntent, []);
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.GetXattr;
        ref var body = ref call.Get<MdtBody>(3);
        FillCaller(ref body);
        body.Fid1 = fid;
        body.Valid = (ObdMd)0x3000000001;
        body.EaDataSize = AllXattrBytes;
        using var reply = await SendIntentAsync(held, call);
        Release(held);
        if ((int)reply.Get<LdlmReply>(1).LockPolicyRes2 is var error and < 0)
        {
            throw new RpcException(-error);
        }

        return ParseXattrs(reply);
    }

    private static Dictionary<string, byte[]> ParseXattrs(RpcReply reply)
    {
        var body = reply.Get<MdtBody>(2);
        var names = Encoding.UTF8.GetString(reply.Buffer(5)[..(int)body.EaDataSize]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var values = reply.Buffer(6)[..(int)body.AclSize];
        var lengths = MemoryMarshal.Cast<byte, int>(reply.Buffer(7))[..(int)body.MaxMdSize];
        var all = new Dictionary<string, byte[]>();
        for (var i = 0; i < names.Length; i++)
        {
            all.Add(names[i], values[..lengths[i]].ToArray());
            values = values[lengths[i]..];
        }

        return all;
    }

    private async Task ChangeXattrAsync(LuFid fid, string name, byte[] value, ObdMd valid, uint flags)
    {
        var call = new RpcCall(Opcode.MdsReint, MdtRecSetxattr.Size, 0, NameBytes(name), value.Length, LdlmRequest.Size, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetXattr);
        ref var record = ref call.Get<MdtRecSetxattr>(1);
        (record.Fid, record.Valid, record.Time, record.Flags) = (fid, valid, Now(), flags);
        WriteName(call.Buffer(3), name);
        value.CopyTo(call.Buffer(4));
        FillEarlyCancels(call.Buffer(5), TakeForEarlyCancel(fid, InodeBits.Xattr, 2));
        using var reply = await SendAsync(Mdt, call);
    }
}
