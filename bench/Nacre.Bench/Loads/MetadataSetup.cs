using System.Text;
using Nacre.Bench.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>Metadata requests: their frames, filled as a 2.15 client fills them, and what is made before a load begins.</summary>
internal static class MetadataSetup
{
    /// <summary>Attributes a client asks for in a getattr (FLGETATTR, 05 section 2.2).</summary>
    public const ObdMd GetattrValid = (ObdMd)0x1100000001016fdf;

    /// <summary>Buffer indices of an enqueue with an open intent (05 section 1.4).</summary>
    public const int OpenRecord = 3;
    public const int OpenName = 6;
    public const int OpenEa = 7;

    private const uint RegularMode = 0x81A4;
    private const uint DirectoryMode = 0x41ED;
    private const uint StripeSize = 1 << 20;

    /// <summary>Everything root may do; a server that squashes root answers EACCES, which the checks report.</summary>
    private const uint AllCapabilities = 0xFFFFFFFF;
    private const uint NoGroup = 0xFFFFFFFF;

    /// <summary>REINT_CREATE of a regular file, or of a directory.</summary>
    public static RequestFrame Create(BenchImport import, LuFid parent, int nameBuffer, bool directory = false)
    {
        var request = new RequestFrame(
            import, Portal.MdsRequest, Opcode.MdsReint, MdtRecReint.Size, 0, nameBuffer, 0, 0, 0, 0, 0, 0);
        FillRecord(ref request.At<MdtRecCreate>(1), ReintOp.Create, parent, directory ? DirectoryMode : RegularMode);
        request.ReplySize = 1024;
        return request;
    }

    /// <summary>Open for writing, created if absent, with a layout of one stripe or (no EA bytes) the file system's default.</summary>
    public static RequestFrame OpenCreate(BenchImport import, LuFid parent, int eaBytes)
    {
        var request = new RequestFrame(
            import, Portal.MdsRequest, Opcode.LdlmEnqueue,
            LdlmRequest.Size, LdlmIntent.Size, MdtRecCreate.Size, 0, 0, FileName.BufferSize, eaBytes, 0, 0, 0, 0);
        FillLock(request, parent, LockMode.CW, InodeBits.Lookup);
        request.At<LdlmIntent>(2).Opcode = IntentOpcode.Open | IntentOpcode.Create;
        ref var record = ref request.At<MdtRecCreate>(OpenRecord);
        FillRecord(ref record, ReintOp.Open, parent, RegularMode);
        record.Flags = MdsOpen.Read | MdsOpen.Write | MdsOpen.Creat | (eaBytes > 0 ? MdsOpen.HasEa : MdsOpen.None);
        request.ReplySize = 4096;
        return request;
    }

    /// <summary>Lookup with attributes under a lock, as a stat makes it (05 section 6.4).</summary>
    public static RequestFrame GetattrIntent(BenchImport import, LuFid parent)
    {
        var request = new RequestFrame(
            import, Portal.MdsRequest, Opcode.LdlmEnqueue,
            LdlmRequest.Size, LdlmIntent.Size, MdtBody.Size, 0, FileName.BufferSize, 0);
        FillLock(request, parent, LockMode.CR, InodeBits.Update);
        request.At<LdlmIntent>(2).Opcode = IntentOpcode.GetAttr;
        ref var body = ref request.At<MdtBody>(3);
        body.Fid1 = parent;
        body.Valid = GetattrValid | ObdMd.FlEaSize | ObdMd.FlModeAsize | ObdMd.FlDirEa | ObdMd.Mea | ObdMd.FlAcl
            | ObdMd.DefaultMea;
        body.EaDataSize = 512;
        body.Capability = AllCapabilities;
        body.Suppgid = NoGroup;
        request.ReplySize = 2048;
        return request;
    }

    public static RequestFrame Getattr(BenchImport import)
    {
        var request = new RequestFrame(import, Portal.MdsReadPage, Opcode.MdsGetattr, MdtBody.Size, 0);
        ref var body = ref request.At<MdtBody>(1);
        body.Valid = GetattrValid;
        body.Capability = AllCapabilities;
        body.Suppgid = NoGroup;
        request.ReplySize = 1024;
        return request;
    }

    public static RequestFrame Close(BenchImport import)
    {
        var request = new RequestFrame(import, Portal.MdsReadPage, Opcode.MdsClose, MdtIoEpoch.Size, MdtRecSetattr.Size, 0);
        ref var record = ref request.At<MdtRecSetattr>(2);
        record.Opcode = ReintOp.SetAttr;
        record.Cap = AllCapabilities;
        record.Suppgid = NoGroup;
        record.Mode = RegularMode;
        record.Valid = MdsAttr.Mode | MdsAttr.Atime | MdsAttr.Mtime | MdsAttr.Ctime | MdsAttr.AtimeSet | MdsAttr.MtimeSet
            | MdsAttr.CtimeSet | MdsAttr.LazySize | MdsAttr.LazyBlocks;
        record.Atime = record.Mtime = record.Ctime = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return request;
    }

    public static LuFid MakeDirectory(BenchImport import, LuFid fid, string name)
    {
        var request = Create(import, LuFid.Root, name.Length + 1, directory: true);
        Encoding.ASCII.GetBytes(name, request.Buffer(3));
        request.At<MdtRecCreate>(1).Fid2 = fid;
        request.Body.Tag = 1;
        import.Call(request);
        return fid;
    }

    /// <summary>A closed file with one object on the OST; the object's FID.</summary>
    public static LuFid MakeObject(BenchImport import, LuFid parent, LuFid fid, uint name, int ostIndex)
    {
        var open = OpenCreate(import, parent, LovMdsMd.Size);
        FileName.Write(name, open.Buffer(OpenName));
        open.At<MdtRecCreate>(OpenRecord).Fid2 = fid;
        open.At<LovMdsMd>(OpenEa) = new LovMdsMd
        {
            Magic = LovMagic.V1,
            Pattern = LovPattern.Raid0,
            StripeSize = StripeSize,
            StripeCount = 1,
            LayoutGen = (ushort)ostIndex,
        };
        open.Body.Tag = 1;
        var bytes = import.CallAny(open);
        var opened = CheckOpen(bytes, fid);
        var ea = opened.Message.Buffer(3);
        var data = LovCodec.TryDecode(ea, userForm: false, out var layout) ? layout.Objects().FirstOrDefault() : default;
        if (data.Object.IsZero || data.OstIndex != ostIndex)
        {
            throw new InvalidDataException($"a new file got no object on OST {ostIndex}");
        }

        var close = Close(import);
        close.At<MdtIoEpoch>(1).OpenHandle = opened.OpenHandle;
        close.At<MdtRecSetattr>(2).Fid = fid;
        close.Body.Tag = 1;
        import.Call(close);
        return data.Object;
    }

    /// <summary>The reply to an open intent that created and opened the file.</summary>
    public static OpenReply CheckOpen(ReadOnlySpan<byte> bytes, LuFid fid)
    {
        var message = CheckIntent(bytes, out var body, out var reply);
        const Disp Wanted = Disp.Execd | Disp.LookupExecd | Disp.OpenCreate | Disp.OpenOpen;
        ref readonly var attributes = ref Reply.Get<MdtBody>(message, 2);
        if (((Disp)reply.LockPolicyRes1 & Wanted) != Wanted || attributes.Fid1 != fid || attributes.OpenHandle == 0 || body.Transno == 0)
        {
            throw new InvalidDataException($"an open was answered with disposition {reply.LockPolicyRes1:x} and {attributes.Fid1}");
        }

        return new OpenReply(message, attributes.OpenHandle, reply.LockHandle);
    }

    /// <summary>The reply to an intent that succeeded, with a lock (status 0) or without (301).</summary>
    public static LustreMessage CheckIntent(ReadOnlySpan<byte> bytes, out PtlrpcBody body, out LdlmReply reply)
    {
        var message = Reply.OpenAny(bytes, out body);
        if (body.Status is not (0 or LdlmStatus.LockAborted)) Reply.ThrowStatus(body);
        reply = Reply.Get<LdlmReply>(message, 1);
        if ((int)reply.LockPolicyRes2 != 0) throw new InvalidDataException($"an intent failed with {(int)reply.LockPolicyRes2}");
        return message;
    }

    /// <summary>Gives a lock back with the next enqueue instead of an RPC of its own (early lock cancel, 03 section 12).</summary>
    public static void CancelWith(RequestFrame enqueue, ulong lockHandle)
    {
        ref var request = ref enqueue.At<LdlmRequest>(1);
        request.LockCount = lockHandle != 0 ? 2u : 1u;
        request.Handle1 = lockHandle;
    }

    private static void FillLock(RequestFrame request, LuFid resource, LockMode mode, InodeBits bits)
    {
        ref var enqueue = ref request.At<LdlmRequest>(1);
        enqueue.LockFlags = LdlmFlags.HasIntent;
        enqueue.LockCount = 1;
        enqueue.LockDesc.Resource.Type = LockType.IBits;
        enqueue.LockDesc.Resource.Name = LdlmResId.OfFid(resource);
        enqueue.LockDesc.ReqMode = mode;
        enqueue.LockDesc.Policy = LdlmPolicy.IBits(bits);
    }

    private static void FillRecord(ref MdtRecCreate record, ReintOp operation, LuFid parent, uint mode)
    {
        record.Opcode = operation;
        record.Cap = AllCapabilities;
        record.Suppgid1 = NoGroup;
        record.Suppgid2 = NoGroup;
        record.Fid1 = parent;
        record.Mode = mode;
        record.Time = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    }
}

/// <summary>What an open intent returned; <see cref="LockHandle"/> is 0 when no lock came with it.</summary>
internal readonly ref struct OpenReply(LustreMessage message, ulong openHandle, ulong lockHandle)
{
    public LustreMessage Message { get; } = message;

    public ulong OpenHandle { get; } = openHandle;

    public ulong LockHandle { get; } = lockHandle;
}
