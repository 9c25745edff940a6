using System.Runtime.InteropServices;
using Nacre.Client.Inodes;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>Extended attributes (05 sections 3.5, 5.8 and 6.7).</summary>
internal sealed partial class MetadataClient
{
    /// <summary>Bytes for all values of an inode in one reply; more are fetched one by one. Kernel clients begin with as much.</summary>
    private const int AllXattrBytes = 2500;

    /// <summary>Largest value and list Linux knows.</summary>
    private const int MaxXattrBytes = 65536;
    private const int XattrReplyBytes = 1024;

    /// <summary>All attributes, with a lock on them (IT_GETXATTR); ERANGE when they are too many.</summary>
    public async ValueTask<Outcome<IntentReply>> GetAllXattrsAsync(LustreInode inode, CancellationToken ct)
    {
        var prepared = Target.Locks.Prepare(inode.Resource, LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Xattr));
        var call = Rent(Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtBody.Size, 0, 0);
        call.ReplyBytes = XattrReplyBytes + AllXattrBytes;
        Target.Locks.FillRequest(call, prepared, LdlmFlags.HasIntent, []);
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.GetXattr;
        ref var body = ref call.Get<MdtBody>(3);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = inode.Fid;
        body.Valid = ObdMd.FlXattr | ObdMd.FlXattrLs | ObdMd.FlId;
        body.EaDataSize = AllXattrBytes;
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            Target.Locks.Abandon(prepared);
            return new Failure(sent.Errno);
        }

        return await AcceptXattrsAsync(inode, prepared, sent.Value, ct).ConfigureAwait(false);
    }

    private async ValueTask<Outcome<IntentReply>> AcceptXattrsAsync(
        LustreInode inode, Ldlm.Client.ClientLock prepared, RpcReply reply, CancellationToken ct)
    {
        try
        {
            var granted = await Target.Locks.AcceptAsync(prepared, reply, ct).ConfigureAwait(false);
            var answer = new IntentReply(reply, granted ?? default);
            if (answer.Lock.IsHeld)
            {
                inode.Take(answer.Lock);
            }

            var short1 = reply.BufferLength(1) < LdlmReply.Size || reply.BufferLength(2) < MdtBody.Size;
            if (!short1 && answer.Result >= 0)
            {
                return answer;
            }

            var errno = short1 ? Errno.EPROTO : ErrnoFrom(-answer.Result);
            answer.Dispose();
            return new Failure(errno);
        }
        catch (ErrnoException failure)
        {
            Target.Locks.Abandon(prepared);
            reply.Dispose();
            return new Failure(ErrnoFrom(failure.Errno));
        }
        catch (OperationCanceledException)
        {
            Target.Locks.Abandon(prepared);
            reply.Dispose();
            return new Failure(Errno.EINTR);
        }
    }

    /// <summary>One value; ENODATA when there is none.</summary>
    public ValueTask<Outcome<byte[]>> GetXattrAsync(LuFid fid, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        GetXattrAsync(fid, name, ObdMd.FlXattr, who, ct);

    /// <summary>Names, each ended by NUL.</summary>
    public ValueTask<Outcome<byte[]>> ListXattrsAsync(LuFid fid, Credentials who, CancellationToken ct) =>
        GetXattrAsync(fid, default, ObdMd.FlXattrLs, who, ct);

    private async ValueTask<Outcome<byte[]>> GetXattrAsync(
        LuFid fid, ReadOnlyMemory<byte> name, ObdMd what, Credentials who, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetxattr, MdtBody.Size, 0, name.Length == 0 ? 0 : name.Length + 1, 0, 0);
        call.ReplyBytes = XattrReplyBytes + MaxXattrBytes;
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, who, NoGroup);
        body.Fid1 = fid;
        body.Valid = ObdMd.FlId | what;
        body.EaDataSize = MaxXattrBytes;
        WriteName(call.Buffer(3), name.Span);
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        if (reply.BufferLength(1) < MdtBody.Size || reply.Get<MdtBody>(1).EaDataSize > (uint)reply.BufferLength(2))
        {
            return new Failure(Errno.EPROTO);
        }

        return reply.Buffer(2)[..(int)reply.Get<MdtBody>(1).EaDataSize].ToArray();
    }

    /// <param name="value">Null removes the attribute.</param>
    /// <param name="flags">1 must not exist, 2 must exist.</param>
    public async ValueTask<int> SetXattrAsync(
        LuFid fid, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte>? value, uint flags, InodeBits cancelled, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(fid, cancelled, cancels).ConfigureAwait(false);
        var call = Rent(Opcode.MdsReint, MdtRecSetxattr.Size, 0, name.Length + 1, value?.Length ?? 0, CancelBytes(count), 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetXattr, who, group, NoGroup);
        ref var record = ref call.Get<MdtRecSetxattr>(1);
        (record.Fid, record.Time) = (fid, Now);
        record.Valid = ObdMd.FlCtime | (value is null ? ObdMd.FlXattrRm : ObdMd.FlXattr);
        record.Flags = value is null ? 2 : flags;
        WriteName(call.Buffer(3), name.Span);
        value?.Span.CopyTo(call.Buffer(4));
        FillEarlyCancels(call.Buffer(5), cancels.AsSpan(0, count));
        var sent = await SendAsync(call, CancellationToken.None).ConfigureAwait(false);
        if (sent.IsOk)
        {
            sent.Value.Dispose();
        }

        return sent.Errno;
    }

    /// <summary>Reads the three buffers of names, values and lengths (05 section 6.7). False when they contradict each other.</summary>
    public static bool TryReadXattrs(in IntentReply answer, Dictionary<byte[], byte[]> into)
    {
        ref readonly var body = ref answer.Body;
        var names = answer.Reply.Buffer(5);
        var values = answer.Reply.Buffer(6);
        var lengths = answer.Reply.Buffer(7);
        if (body.EaDataSize > (uint)names.Length || body.AclSize > (uint)values.Length || body.MaxMdSize > (uint)(lengths.Length / sizeof(uint)))
        {
            return false;
        }

        names = names[..(int)body.EaDataSize];
        values = values[..(int)body.AclSize];
        foreach (var length in MemoryMarshal.Cast<byte, uint>(lengths)[..(int)body.MaxMdSize])
        {
            var end = names.IndexOf((byte)0);
            if (end <= 0 || length > (uint)values.Length)
            {
                return false;
            }

            into[names[..end].ToArray()] = values[..(int)length].ToArray();
            names = names[(end + 1)..];
            values = values[(int)length..];
        }

        return true;
    }
}
