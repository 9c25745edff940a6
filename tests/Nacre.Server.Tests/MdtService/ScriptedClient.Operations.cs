using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.MdtService;

/// <summary>An intent's reply, taken apart.</summary>
internal sealed record IntentAnswer(RpcAnswer Rpc)
{
    public LdlmReply Reply => Rpc.Get<LdlmReply>(1);
    public Disp Disposition => (Disp)Reply.LockPolicyRes1;
    public int Result => (int)(long)Reply.LockPolicyRes2;
    public MdtBody Body => Rpc.Get<MdtBody>(2);
    public byte[] Layout => Rpc.Buffer(3);
    public byte[] Acl => Rpc.Buffer(4);
    public ulong LockHandle => Reply.LockHandle;
    public InodeBits Bits => Reply.LockDesc.Policy.Bits;
    public LockMode Mode => Reply.LockDesc.GrantedMode;
    public LuFid Fid => Body.Fid1;
    public ulong Handle => Body.OpenHandle;
}

/// <summary>A directory entry as a client reads it off a page.</summary>
internal sealed record Entry(string Name, LuFid Fid, ulong Hash, uint Type);

internal sealed partial class ScriptedClient
{
    /// <summary>Second for all changes; ctime of a new file, so that lookups of it count as of a quiet object.</summary>
    public const long Now = 1_800_000_000;

    /// <summary>What lookup and getattr intents of a 2.15 client ask for.</summary>
    private const ObdMd Wanted = (ObdMd)0x1140008491036fdf;

    private uint _nextObject;
    private ulong _sequence;

    /// <summary>Who this client acts as: uid, gid, capabilities.</summary>
    public (uint Uid, uint Gid, uint Capabilities) Identity { get; set; } = (0, 0, uint.MaxValue);

    public static LuFid Root => MdtFileSystem.Root;

    public async Task<LuFid> NewFidAsync()
    {
        if (_sequence == 0)
        {
            var answer = await SendAsync(Opcode.SeqQuery, Portal.SeqMetadata, [Bytes(1u), Bytes(default(LuSeqRange))]);
            Assert.Equal(0, answer.Status);
            _sequence = answer.Get<LuSeqRange>(1).Start;
        }
        return new LuFid(_sequence, Interlocked.Increment(ref _nextObject));
    }

    public MdtBody Ask(LuFid fid, ObdMd valid, uint room = 0) => new()
    {
        Fid1 = fid,
        Valid = valid | ObdMd.FlId,
        EaDataSize = room,
        FsUid = Identity.Uid,
        FsGid = Identity.Gid,
        Capability = Identity.Capabilities,
        Suppgid = uint.MaxValue,
    };

    // ---- intents ----

    public Task<IntentAnswer> GetAttrAsync(LuFid parent, string name) => LookupAsync(IntentOpcode.GetAttr, parent, default, name);

    public Task<IntentAnswer> GetAttrAsync(LuFid fid) => LookupAsync(IntentOpcode.GetAttr, fid, fid, "");

    public Task<IntentAnswer> LookupAsync(LuFid parent, string name) => LookupAsync(IntentOpcode.Lookup, parent, default, name);

    public async Task<IntentAnswer> LookupAsync(IntentOpcode opcode, LuFid fid1, LuFid fid2, string name)
    {
        var body = Ask(fid1, Wanted, 4096);
        body.Fid2 = fid2;
        return new IntentAnswer(await SendAsync(Opcode.LdlmEnqueue, Portal.MdsRequest, [
            Enqueue(fid1, LockMode.CR, InodeBits.Update), Bytes((ulong)opcode), Bytes(body), [], Text(name)]));
    }

    public async Task<IntentAnswer> OpenAsync(
        LuFid parent, string name, MdsOpen flags, uint mode = 0x1a4, byte[]? layout = null, LuFid fid = default, uint umask = 0,
        ulong xid = 0, bool resent = false, byte[]? enqueue = null)
    {
        if (fid.IsZero && (flags & MdsOpen.Creat) != 0)
            fid = await NewFidAsync();
        var record = new MdtRecCreate
        {
            Opcode = ReintOp.Open,
            Cap = Identity.Capabilities,
            FsUid = Identity.Uid,
            FsGid = Identity.Gid,
            Suppgid1 = uint.MaxValue,
            Suppgid2 = uint.MaxValue,
            Fid1 = parent,
            Fid2 = fid,
            Time = Now,
            Mode = 0x8000 | mode,
            Umask = umask,
            Flags = flags | (layout != null ? MdsOpen.HasEa : 0),
        };
        bool creates = (flags & MdsOpen.Creat) != 0;
        return new IntentAnswer(await SendAsync(Opcode.LdlmEnqueue, Portal.MdsRequest, [
            enqueue ?? Enqueue(parent, creates ? LockMode.CW : LockMode.CR, InodeBits.Lookup), Bytes(creates ? 3UL : 1UL),
            Bytes(record), [], [], Text(name), layout ?? new byte[128], [], [], [], []], xid, resent));
    }

    public Task<IntentAnswer> OpenByFidAsync(LuFid fid, MdsOpen flags, byte[]? layout = null, LuFid parent = default) =>
        OpenAsync(parent.IsZero ? fid : parent, "", flags | MdsOpen.ByFid, layout: layout, fid: fid);

    /// <summary>Creates a file, writes nothing, closes it.</summary>
    public async Task<LuFid> CreateFileAsync(LuFid parent, string name, uint mode = 0x1a4)
    {
        var opened = await OpenAsync(parent, name, MdsOpen.Creat | MdsOpen.Write, mode);
        Assert.Equal(0, opened.Result);
        Assert.Equal(0, (await CloseAsync(opened)).Status);
        return opened.Fid;
    }

    public async Task<IntentAnswer> LayoutAsync(LuFid fid, LayoutIntentOp op, ulong start = 0, ulong end = Lov.Eof)
    {
        var mode = op == LayoutIntentOp.Access ? LockMode.CR : LockMode.EX;
        return new IntentAnswer(await SendAsync(Opcode.LdlmEnqueue, Portal.MdsRequest, [
            Enqueue(fid, mode, InodeBits.Layout), Bytes((ulong)IntentOpcode.Layout),
            Bytes(new LayoutIntent { Op = op, Start = start, End = end }), []]));
    }

    public async Task<IntentAnswer> GetAllXattrsAsync(LuFid fid, uint room = 2500) =>
        new(await SendAsync(Opcode.LdlmEnqueue, Portal.MdsRequest, [
            Enqueue(fid, LockMode.PR, InodeBits.Xattr), Bytes((ulong)IntentOpcode.GetXattr),
            Bytes(Ask(fid, ObdMd.FlXattr | ObdMd.FlXattrLs, room)), [], []]));

    public async Task<IntentAnswer> EnqueueReadDirAsync(LuFid directory) =>
        new(await SendAsync(Opcode.LdlmEnqueue, Portal.MdsRequest, [Enqueue(directory, LockMode.PR, InodeBits.Update)]));

    public byte[] Enqueue(LuFid fid, LockMode mode, InodeBits bits)
    {
        var request = new LdlmRequest
        {
            LockFlags = LdlmFlags.HasIntent,
            LockCount = 1,
            Handle0 = (ulong)Interlocked.Increment(ref _nextLockHandle),
        };
        request.LockDesc.Resource.Type = LockType.IBits;
        request.LockDesc.Resource.Name = LdlmResId.OfFid(fid);
        request.LockDesc.ReqMode = mode;
        request.LockDesc.Policy.Bits = bits;
        return Bytes(request);
    }

    // ---- reints ----

    public async Task<(RpcAnswer Answer, LuFid Fid)> MakeAsync(
        LuFid parent, string name, uint mode, string? target = null, uint rdev = 0, uint umask = 0, byte[]? ea = null)
    {
        var fid = await NewFidAsync();
        var record = new MdtRecCreate
        {
            Opcode = ReintOp.Create,
            Cap = Identity.Capabilities,
            FsUid = Identity.Uid,
            FsGid = Identity.Gid,
            Suppgid1 = uint.MaxValue,
            Suppgid2 = uint.MaxValue,
            Fid1 = parent,
            Fid2 = fid,
            Time = Now,
            Mode = mode,
            Rdev = rdev,
            Umask = umask,
        };
        var answer = await ReintAsync([Bytes(record), [], Text(name), target != null ? Text(target) : ea ?? [], NoCancels, [], [], [], []]);
        return (answer, fid);
    }

    public async Task<LuFid> MkdirAsync(LuFid parent, string name, uint mode = 0x1ed)
    {
        var (answer, fid) = await MakeAsync(parent, name, 0x4000 | mode);
        Assert.Equal(0, answer.Status);
        return fid;
    }

    public Task<RpcAnswer> UnlinkAsync(LuFid parent, string name, uint mode = 0) =>
        ReintAsync([Bytes(NameRecord(ReintOp.Unlink, parent, default, mode)), [], Text(name), NoCancels, []]);

    public Task<RpcAnswer> LinkAsync(LuFid source, LuFid parent, string name) =>
        ReintAsync([Bytes(NameRecord(ReintOp.Link, source, parent, 0)), [], [], Text(name), NoCancels, []]);

    public Task<RpcAnswer> RenameAsync(LuFid from, string oldName, LuFid to, string newName) =>
        ReintAsync([Bytes(NameRecord(ReintOp.Rename, from, to, 0)), [], [], Text(oldName), Text(newName), NoCancels, []]);

    public Task<RpcAnswer> SetAttrAsync(LuFid fid, MdsAttr valid, Func<MdtRecSetattr, MdtRecSetattr>? fill = null, byte[]? ea = null)
    {
        var record = new MdtRecSetattr
        {
            Opcode = ReintOp.SetAttr,
            Cap = Identity.Capabilities,
            FsUid = Identity.Uid,
            FsGid = Identity.Gid,
            Suppgid = uint.MaxValue,
            Fid = fid,
            Valid = valid,
            Ctime = Now + 1,
        };
        return ReintAsync([Bytes(fill?.Invoke(record) ?? record), [], [], ea ?? [], [], NoCancels]);
    }

    public Task<RpcAnswer> SetXattrAsync(LuFid fid, string name, byte[] value, uint flags = 0, bool remove = false)
    {
        var record = new MdtRecSetxattr
        {
            Opcode = ReintOp.SetXattr,
            Cap = Identity.Capabilities,
            FsUid = Identity.Uid,
            FsGid = Identity.Gid,
            Suppgid1 = uint.MaxValue,
            Suppgid2 = uint.MaxValue,
            Fid = fid,
            Valid = ObdMd.FlCtime | (remove ? ObdMd.FlXattrRm : ObdMd.FlXattr),
            Time = Now + 1,
            Flags = flags,
        };
        return ReintAsync([Bytes(record), [], Text(name), value, NoCancels, []]);
    }

    public Task<RpcAnswer> ReintAsync(byte[][] buffers, ulong xid = 0, bool resent = false) =>
        SendAsync(Opcode.MdsReint, Portal.MdsRequest, buffers, xid, resent);

    public MdtRecName NameRecord(ReintOp operation, LuFid fid1, LuFid fid2, uint mode) => new()
    {
        Opcode = operation,
        Cap = Identity.Capabilities,
        FsUid = Identity.Uid,
        FsGid = Identity.Gid,
        Suppgid1 = uint.MaxValue,
        Suppgid2 = uint.MaxValue,
        Fid1 = fid1,
        Fid2 = fid2,
        Time = Now + 2,
        Mode = mode,
    };

    /// <summary>An empty list of early cancels.</summary>
    public static byte[] NoCancels => new byte[LdlmRequest.Size];

    // ---- others ----

    public Task<RpcAnswer> CloseAsync(IntentAnswer opened, Func<MdtRecSetattr, MdtRecSetattr>? fill = null) =>
        CloseAsync(opened.Handle, opened.Fid, fill);

    public Task<RpcAnswer> CloseAsync(ulong handle, LuFid fid, Func<MdtRecSetattr, MdtRecSetattr>? fill = null)
    {
        var record = new MdtRecSetattr { Opcode = ReintOp.SetAttr, Fid = fid };
        return SendAsync(Opcode.MdsClose, Portal.MdsReadPage, [
            Bytes(new MdtIoEpoch { OpenHandle = handle }), Bytes(fill?.Invoke(record) ?? record), []]);
    }

    public Task<RpcAnswer> PlainGetAttrAsync(LuFid fid, ObdMd valid, uint room = 0) =>
        SendAsync(Opcode.MdsGetattr, Portal.MdsReadPage, [Bytes(Ask(fid, valid, room)), []]);

    public Task<RpcAnswer> GetXattrAsync(LuFid fid, string name, uint room = 4096) =>
        SendAsync(Opcode.MdsGetxattr, Portal.MdsReadPage, [Bytes(Ask(fid, ObdMd.FlXattr, room)), [], Text(name), [], []]);

    public async Task<byte[]> ReadPagesAsync(LuFid directory, ulong hash, uint bytes = 1 << 20)
    {
        var body = Ask(directory, ObdMd.None);
        body.ObjectSize = hash;
        body.Nlink = bytes;
        body.Mode = (uint)(LuDirentAttrs.Fid | LuDirentAttrs.Type);
        ulong xid = NextXid();
        var sink = new byte[bytes];
        var events = new BulkSink();
        using var posted = _node.Post(Portal.MdsBulk, MdtServer.Peer, xid, sink, PostOptions.AcceptPut | PostOptions.Truncate, events);
        var answer = await SendAsync(Opcode.MdsReadpage, Portal.MdsReadPage, [Bytes(body), []], xid);
        Assert.Equal(0, answer.Status);
        Assert.Equal([MdtBody.Size], answer.Lengths);
        return sink[..await events.Stored.WaitAsync(Patience)];
    }

    /// <summary>The whole directory, page by page as a client goes through it.</summary>
    public async Task<List<Entry>> ReadDirectoryAsync(LuFid directory, uint bytes = 1 << 20)
    {
        var entries = new List<Entry>();
        for (ulong hash = 0; hash != LuDirpage.End;)
        {
            var pages = await ReadPagesAsync(directory, hash, bytes);
            for (int at = 0; at < pages.Length; at += LuDirpage.PageSize)
            {
                var head = MemoryMarshal.Read<LuDirpage>(pages.AsSpan(at));
                Assert.Equal(hash, head.HashStart);
                entries.AddRange(EntriesOf(pages.AsSpan(at, LuDirpage.PageSize)));
                hash = head.HashEnd;
            }
        }
        return entries;
    }

    public static List<Entry> EntriesOf(ReadOnlySpan<byte> page)
    {
        var entries = new List<Entry>();
        if ((MemoryMarshal.Read<LuDirpage>(page).Flags & LuDirpage.FlagEmpty) != 0)
            return entries;
        for (int at = LuDirpage.Size; ;)
        {
            var head = MemoryMarshal.Read<LuDirent>(page[at..]);
            var name = Encoding.UTF8.GetString(page.Slice(at + LuDirent.Size, head.NameLength));
            uint type = (head.Attrs & LuDirentAttrs.Type) != 0
                ? MemoryMarshal.Read<ushort>(page[(at + LuDirent.TypeOffset(head.NameLength))..])
                : 0u;
            entries.Add(new Entry(name, head.Fid, head.Hash, type));
            if (head.RecordLength == 0)
                return entries;
            at += head.RecordLength;
        }
    }

    private sealed class BulkSink : IPostedEvents
    {
        private readonly TaskCompletionSource<int> _stored = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<int> Stored => _stored.Task;

        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent) => _stored.TrySetResult(stored);

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
