using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Lookup, getattr, open, layout: enqueues with an intent (05 section 6).</summary>
public sealed partial class ScriptedClient
{
    /// <summary>What every captured lookup and getattr asks for.</summary>
    private const ObdMd IntentAttributes = (ObdMd)0x1140008491036fdf;
    private const uint DefaultEaBytes = 128;

    /// <summary>Bytes of the last layout handed out, which a client reserves in later requests (05 section 20.7).</summary>
    private uint _eaBytes = DefaultEaBytes;

    /// <summary>A name; null when it does not exist.</summary>
    public Task<Found?> LookupAsync(LuFid parent, string name) => GetByIntentAsync(IntentOpcode.Lookup, InodeBits.Lookup, parent, default, name);

    /// <summary>A name with its attributes; null when it does not exist.</summary>
    public Task<Found?> GetAttrAsync(LuFid parent, string name) => GetByIntentAsync(IntentOpcode.GetAttr, InodeBits.Update, parent, default, name);

    /// <summary>An object's attributes; null when it does not exist any more.</summary>
    public Task<Found?> GetAttrAsync(LuFid fid) => GetByIntentAsync(IntentOpcode.GetAttr, InodeBits.Update, fid, fid, "");

    /// <summary>Opens a name, creating it where the flags say so. The layout counts only for files that have none yet.</summary>
    public Task<OpenFile> OpenAsync(LuFid parent, string name, MdsOpen flags, uint mode = 0x1A4, LovLayout? layout = null) =>
        OpenAsync(parent, default, name, flags, mode, layout);

    /// <summary>Opens an object that is known already.</summary>
    public Task<OpenFile> OpenByFidAsync(LuFid parent, LuFid fid, MdsOpen flags, LovLayout? layout = null) =>
        OpenAsync(parent, fid, "", flags | MdsOpen.ByFid | MdsOpen.OwnerOverride, 0, layout);

    /// <summary>Creates a file that must not exist, for reading and writing.</summary>
    public Task<OpenFile> CreateAsync(LuFid parent, string name, LovLayout? layout = null, uint mode = 0x1A4) =>
        OpenAsync(parent, name, MdsOpen.Read | MdsOpen.Write | MdsOpen.Creat | MdsOpen.Excl, mode, layout);

    public async Task CloseAsync(OpenFile file)
    {
        var call = new RpcCall(Opcode.MdsClose, MdtIoEpoch.Size, MdtRecSetattr.Size, 0);
        call.Get<MdtIoEpoch>(1).OpenHandle = file.Handle;
        ref var record = ref call.Get<MdtRecSetattr>(2);
        FillReint(ref MemoryMarshal.AsRef<MdtRecReint>(call.Buffer(2)), ReintOp.SetAttr);
        var now = Now();
        record.Suppgid = 0;
        record.Fid = file.Fid;
        record.Valid = (MdsAttr)0x621f1;
        record.Mode = file.Found.Mode;
        (record.Mtime, record.Atime, record.Ctime) = file.HasWritten
            ? (now, now, now)
            : (file.Found.Body.Mtime, file.Found.Body.Atime, file.Found.Body.Ctime);
        record.Bias = file.HasWritten ? MdsBias.DataModified : MdsBias.None;
        using var reply = await SendAsync(Mdt, call);
    }

    /// <summary>The layout a file has now (IT_LAYOUT ACCESS); null when it has none.</summary>
    public async Task<LovLayout?> GetLayoutAsync(LuFid fid) => await LayoutIntentAsync(fid, LayoutIntentOp.Access, LockMode.CR, 0, 0);

    /// <summary>Makes the objects of all components that [start, end) touches.</summary>
    private async Task InstantiateAsync(OpenFile file, ulong start, ulong end) =>
        file.Layout = await LayoutIntentAsync(file.Fid, LayoutIntentOp.Write, LockMode.EX, start, end);

    private async Task<LovLayout?> LayoutIntentAsync(LuFid fid, LayoutIntentOp operation, LockMode mode, ulong start, ulong end)
    {
        var cancels = mode == LockMode.EX ? TakeForEarlyCancel(fid, InodeBits.Layout, 1) : [];
        var held = NewLock(Mdt, ResourceOf(fid), LockType.IBits, mode, LdlmPolicy.IBits(InodeBits.Layout));
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, LayoutIntent.Size, 0)
        {
            ReplyBytes = 4096,
            Modifies = operation == LayoutIntentOp.Write,
        };
        FillEnqueue(call, held, LdlmFlags.HasIntent, cancels);
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.Layout;
        call.Get<LayoutIntent>(3) = new LayoutIntent { Op = operation, Start = start, End = end };
        using var reply = await SendIntentAsync(held, call);
        using var limit = Limit();
        if ((reply.Get<LdlmReply>(1).LockFlags & LdlmFlags.BlockGranted) != 0)
        {
            // It waits for somebody, or did until a moment ago: what the layout is then has to be asked for (05 section 6.8).
            await held.Granted.Task.WaitAsync(limit.Token);
            Release(held);
            return DecodeLayout(await GetXattrAsync(fid, "trusted.lov") ?? []);
        }

        Release(held);
        return DecodeLayout(reply.Buffer(2));
    }

    private async Task<Found?> GetByIntentAsync(IntentOpcode intent, InodeBits bits, LuFid parent, LuFid child, string name)
    {
        var held = NewLock(Mdt, ResourceOf(parent), LockType.IBits, LockMode.CR, LdlmPolicy.IBits(bits));
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtBody.Size, 0, NameBytes(name)) { ReplyBytes = 1152 };
        FillEnqueue(call, held, LdlmFlags.HasIntent, []);
        call.Get<LdlmIntent>(2).Opcode = intent;
        ref var body = ref call.Get<MdtBody>(3);
        FillCaller(ref body);
        (body.Fid1, body.Fid2) = (parent, child);
        body.Valid = IntentAttributes;
        body.EaDataSize = _eaBytes;
        WriteName(call.Buffer(5), name);
        using var reply = await SendIntentAsync(held, call);
        Release(held);
        var result = reply.Get<LdlmReply>(1);
        CheckDisposition(result, reply, isOpen: false);
        return (result.Disposition() & Disp.LookupNeg) != 0 ? null : ReadFound(reply, result.Disposition());
    }

    private async Task<OpenFile> OpenAsync(LuFid parent, LuFid fid, string name, MdsOpen flags, uint mode, LovLayout? layout)
    {
        var creates = (flags & MdsOpen.Creat) != 0;
        var ea = layout is null ? [] : LovCodec.Encode(layout);
        var cancels = creates ? TakeForEarlyCancel(parent, InodeBits.Update, 1) : [];
        var held = NewLock(Mdt, ResourceOf(parent), LockType.IBits, creates ? LockMode.CW : LockMode.CR, LdlmPolicy.IBits(InodeBits.Lookup));
        var call = new RpcCall(
            Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtRecCreate.Size, 0, 0, NameBytes(name),
            Math.Max(ea.Length, (int)_eaBytes), 0, 0, 0, 0)
        { ReplyBytes = 8192, Modifies = true };
        FillEnqueue(call, held, LdlmFlags.HasIntent, cancels);
        call.Get<LdlmIntent>(2).Opcode = creates ? IntentOpcode.Open | IntentOpcode.Create : IntentOpcode.Open;
        FillReint(ref call.Get<MdtRecReint>(3), ReintOp.Open);
        var target = creates ? await NextFidAsync() : fid;
        call.Get<MdtRecCreate>(3).Fid1 = parent;
        call.Get<MdtRecCreate>(3).Fid2 = target;
        Fill(call, flags | (ea.Length > 0 ? MdsOpen.HasEa : MdsOpen.None), mode, ea, name);
        using var reply = await SendIntentAsync(held, call);
        Release(held);
        var result = reply.Get<LdlmReply>(1);
        CheckDisposition(result, reply, isOpen: true);
        if ((result.Disposition() & Disp.OpenOpen) == 0)
        {
            throw new RpcException(Errno.ENOENT, message: $"'{name}' does not exist");
        }

        if (reply.Transno == 0 || reply.Get<MdtBody>(2).OpenHandle == 0)
        {
            throw new RpcException(Errno.EPROTO, message: "an open without transaction number or handle");
        }

        return new OpenFile(ReadFound(reply, result.Disposition()), flags);
    }

    private void Fill(RpcCall call, MdsOpen flags, uint mode, ReadOnlySpan<byte> ea, string name)
    {
        ref var record = ref call.Get<MdtRecCreate>(3);
        record.Time = Now();
        record.Mode = FileType.Regular | mode;
        record.Flags = flags;
        record.Umask = Umask;
        record.Suppgid2 = uint.MaxValue;
        WriteName(call.Buffer(6), name);
        ea.CopyTo(call.Buffer(7));
    }

    /// <summary>Sends an enqueue with an intent and takes over the lock that comes back, if one does.</summary>
    private async Task<RpcReply> SendIntentAsync(HeldLock held, RpcCall call)
    {
        try
        {
            var reply = await SendAsync(held.Import, call);
            var result = reply.Get<LdlmReply>(1);
            if ((reply.Status == LdlmStatus.LockAborted) != (result.LockHandle == 0))
            {
                throw new RpcException(Errno.EPROTO, message: $"status {reply.Status} with lock handle {result.LockHandle:x}");
            }

            if (result.LockHandle == 0)
            {
                Drop(held);
            }
            else
            {
                Accept(held, result);
            }

            return reply;
        }
        catch
        {
            Drop(held);
            throw;
        }
    }

    /// <summary>The rules kernel clients assert (05 section 6.3), then the error of the phase that ran last.</summary>
    private static void CheckDisposition(in LdlmReply result, RpcReply reply, bool isOpen)
    {
        var disposition = result.Disposition();
        var error = (int)result.LockPolicyRes2;
        var executed = (disposition & Disp.Execd) != 0;
        var bothNegativeAndPositive = (disposition & (Disp.LookupNeg | Disp.LookupPos)) == (Disp.LookupNeg | Disp.LookupPos);
        if ((!executed && error == 0) || bothNegativeAndPositive || (isOpen && error != 0 && (disposition & Disp.LookupExecd) == 0)
            || (error == 0 && executed && (disposition & Disp.LookupPos) != 0 && reply.BufferLength(2) < MdtBody.Size))
        {
            throw new RpcException(Errno.EPROTO, message: $"disposition {disposition:x} with {error}");
        }

        if (error != 0)
        {
            throw new RpcException(-error, message: $"intent answered {Errno.Name(error)}, disposition {disposition:x}");
        }
    }

    private Found ReadFound(RpcReply reply, Disp disposition)
    {
        var body = reply.Get<MdtBody>(2);
        if ((body.Valid & ObdMd.FlId) == 0 || body.Fid1.IsZero)
        {
            throw new RpcException(Errno.EPROTO, message: $"attributes without FID, valid {body.Valid:x}");
        }

        var layout = (body.Valid & ObdMd.FlEaSize) != 0 ? DecodeLayout(reply.Buffer(3)[..(int)body.EaDataSize]) : null;
        _eaBytes = Math.Max(_eaBytes, body.MaxMdSize);
        return new Found(body, layout, reply.Buffer(4).ToArray(), disposition);
    }

    private static LovLayout? DecodeLayout(ReadOnlySpan<byte> ea) => ea.IsEmpty
        ? null
        : LovCodec.TryDecode(ea, userForm: false, out var layout) ? layout : throw new RpcException(Errno.EPROTO, message: "a layout that cannot be read");

    private static int NameBytes(string name) => Encoding.UTF8.GetByteCount(name) + 1;

    private static void WriteName(Span<byte> buffer, string name) => Encoding.UTF8.GetBytes(name, buffer);
}

/// <summary>Reads an intent's reply.</summary>
internal static class IntentReply
{
    public static Disp Disposition(this in LdlmReply reply) => (Disp)reply.LockPolicyRes1;
}
