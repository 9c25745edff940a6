using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Changes (MDS_REINT, 05 section 5) and the plain metadata requests (05 section 3).</summary>
public sealed partial class ScriptedClient
{
    private const uint Umask = 0x12;
    private const uint FidsPerSequence = 0x20000;

    private readonly SemaphoreSlim _fidGate = new(1);
    private LuSeqRange _sequence;
    private uint _lastObjectId;

    public Task<LuFid> MkdirAsync(LuFid parent, string name, uint mode = 0x1FF) => MakeAsync(parent, name, FileType.Directory | mode, 0, []);

    /// <summary>Fifo, device, socket, or a regular file without objects.</summary>
    public Task<LuFid> MknodAsync(LuFid parent, string name, uint mode, ulong device = 0) => MakeAsync(parent, name, mode, device, []);

    public Task<LuFid> SymlinkAsync(LuFid parent, string name, string target) =>
        MakeAsync(parent, name, FileType.Symlink | 0x1FF, 0, Encoding.UTF8.GetBytes(target + '\0'));

    public async Task<string> ReadLinkAsync(LuFid fid, int length)
    {
        var call = new RpcCall(Opcode.MdsGetattr, MdtBody.Size, 0) { ReplyBytes = 1024 + length };
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body);
        body.Fid1 = fid;
        body.Valid = ObdMd.FlId | ObdMd.LinkName;
        body.EaDataSize = (uint)length + 1;
        using var reply = await SendAsync(Mdt, call);
        var target = reply.Buffer(2);
        if (reply.Get<MdtBody>(1).EaDataSize != length + 1 || target.IndexOf((byte)0) != length)
        {
            throw new RpcException(Errno.EPROTO, message: "the target's length is not that of the link");
        }

        return Encoding.UTF8.GetString(target[..length]);
    }

    public async Task LinkAsync(LuFid fid, LuFid directory, string name)
    {
        var call = new RpcCall(Opcode.MdsReint, MdtRecName.Size, 0, 0, NameBytes(name), LdlmRequest.Size, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Link);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time) = (fid, directory, Now());
        WriteName(call.Buffer(4), name);
        FillEarlyCancels(call.Buffer(5), [.. TakeForEarlyCancel(directory, InodeBits.Update, 1), .. TakeForEarlyCancel(fid, InodeBits.Update, 1)]);
        using var reply = await SendAsync(Mdt, call);
    }

    /// <summary>Removes a name; returns the link count that is left.</summary>
    public Task<uint> UnlinkAsync(LuFid parent, string name, LuFid child = default) => RemoveAsync(parent, name, child, 0);

    public Task RmdirAsync(LuFid parent, string name, LuFid child = default) => RemoveAsync(parent, name, child, FileType.Directory);

    /// <summary>Moves a name. Returns the attributes of the object that was overwritten, empty when there was none.</summary>
    public async Task<MdtBody> RenameAsync(LuFid from, string oldName, LuFid to, string newName, uint type = FileType.Regular)
    {
        var call = new RpcCall(Opcode.MdsReint, MdtRecName.Size, 0, 0, NameBytes(oldName), NameBytes(newName), LdlmRequest.Size, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Rename);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time, record.Mode) = (from, to, Now(), type);
        WriteName(call.Buffer(4), oldName);
        WriteName(call.Buffer(5), newName);
        FillEarlyCancels(call.Buffer(6), [.. TakeForEarlyCancel(from, InodeBits.Update, 1), .. TakeForEarlyCancel(to, InodeBits.Update, 1)]);
        using var reply = await SendAsync(Mdt, call);
        return reply.Get<MdtBody>(1);
    }

    public Task<MdtBody> ChmodAsync(LuFid fid, uint mode) => SetAttrAsync(fid, (MdsAttr)0x2041, InodeBits.Lookup | InodeBits.Update | InodeBits.Perm,
        (ref MdtRecSetattr record) => record.Mode = mode);

    public Task<MdtBody> ChownAsync(LuFid fid, uint uid, uint gid) => SetAttrAsync(fid, (MdsAttr)0xa846, InodeBits.Update | InodeBits.Perm,
        (ref MdtRecSetattr record) => (record.Uid, record.Gid) = (uid, gid));

    /// <summary>Sets the times at the MDT alone, seconds since 1970.</summary>
    public Task<MdtBody> SetTimesAsync(LuFid fid, long atime, long mtime) => SetAttrAsync(fid, (MdsAttr)0x21f0, InodeBits.Update,
        (ref MdtRecSetattr record) => (record.Atime, record.Mtime) = (atime, mtime));

    /// <summary>Sets the default layout of a directory.</summary>
    public async Task SetDefaultLayoutAsync(LuFid directory, LovLayout layout)
    {
        var ea = LovCodec.Encode(layout);
        var call = new RpcCall(Opcode.MdsReint, MdtRecSetattr.Size, 0, 0, ea.Length, 0, LdlmRequest.Size);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetAttr);
        call.Get<MdtRecSetattr>(1).Fid = directory;
        ea.CopyTo(call.Buffer(4));
        using var reply = await SendAsync(Mdt, call);
    }

    public async Task<ObdStatfs> StatFsAsync()
    {
        using var reply = await SendAsync(Mdt, new RpcCall(Opcode.MdsStatfs));
        return reply.Get<ObdStatfs>(1);
    }

    /// <summary>Makes an object's metadata durable, with an empty FID everything.</summary>
    public async Task SyncAsync(LuFid fid = default)
    {
        var call = new RpcCall(Opcode.MdsSync, MdtBody.Size, 0);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body);
        body.Fid1 = fid;
        body.Valid = fid.IsZero ? ObdMd.None : ObdMd.FlId;
        using var reply = await SendAsync(Mdt, call);
    }

    /// <summary>The path of an object from the root of the mount, through its first link.</summary>
    public async Task<string> PathOfAsync(LuFid fid)
    {
        const int pathBytes = 4096;
        var call = new RpcCall(Opcode.MdsGetInfo, 64, sizeof(uint)) { ReplyBytes = 512 + GetinfoFid2Path.Size + pathBytes };
        "fid2path"u8.CopyTo(call.Buffer(1));
        var asked = new GetinfoFid2Path { Fid = fid, RecordNumber = ulong.MaxValue, PathLength = pathBytes };
        MemoryMarshal.Write(call.Buffer(1)[16..], asked);
        MemoryMarshal.Write(call.Buffer(1)[48..], Root);
        MemoryMarshal.Write(call.Buffer(2), (uint)(GetinfoFid2Path.Size + pathBytes));
        using var reply = await SendAsync(Mdt, call);
        var path = reply.Buffer(1)[GetinfoFid2Path.Size..];
        return Encoding.UTF8.GetString(path[..path.IndexOf((byte)0)]);
    }

    /// <summary>Walks a path of names, by lookups from the root.</summary>
    public async Task<Found> WalkAsync(string path)
    {
        var found = await GetAttrAsync(Root);
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            found = await GetAttrAsync(found!.Fid, name) ?? throw new RpcException(Errno.ENOENT, message: path);
        }

        return found!;
    }

    private delegate void SetRecord(ref MdtRecSetattr record);

    private async Task<MdtBody> SetAttrAsync(LuFid fid, MdsAttr valid, InodeBits cancel, SetRecord set)
    {
        var call = new RpcCall(Opcode.MdsReint, MdtRecSetattr.Size, 0, 0, 0, 0, LdlmRequest.Size);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetAttr);
        ref var record = ref call.Get<MdtRecSetattr>(1);
        record.Suppgid = 0;
        record.Fid = fid;
        record.Valid = valid;
        record.Mtime = record.Atime = record.Ctime = Now();
        set(ref record);
        FillEarlyCancels(call.Buffer(6), TakeForEarlyCancel(fid, cancel, 2));
        using var reply = await SendAsync(Mdt, call);
        return reply.Get<MdtBody>(1);
    }

    private async Task<LuFid> MakeAsync(LuFid parent, string name, uint mode, ulong device, byte[] symlinkTarget)
    {
        var call = new RpcCall(
            Opcode.MdsReint, MdtRecCreate.Size, 0, NameBytes(name), symlinkTarget.Length, LdlmRequest.Size, 0, 0, 0, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Create);
        var fid = await NextFidAsync();
        ref var record = ref call.Get<MdtRecCreate>(1);
        (record.Fid1, record.Fid2, record.Mode, record.Rdev) = (parent, fid, mode, device);
        (record.Time, record.Umask, record.Suppgid2) = (Now(), Umask, uint.MaxValue);
        WriteName(call.Buffer(3), name);
        symlinkTarget.CopyTo(call.Buffer(4));
        FillEarlyCancels(call.Buffer(5), TakeForEarlyCancel(parent, InodeBits.Update, 2));
        using var reply = await SendAsync(Mdt, call);
        return reply.Get<MdtBody>(1).Fid1 == fid ? fid : throw new RpcException(Errno.EPROTO, message: "created under another FID");
    }

    private async Task<uint> RemoveAsync(LuFid parent, string name, LuFid child, uint mode)
    {
        var call = new RpcCall(Opcode.MdsReint, MdtRecName.Size, 0, NameBytes(name), LdlmRequest.Size, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Unlink);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time, record.Mode) = (parent, child, Now(), mode);
        WriteName(call.Buffer(3), name);
        FillEarlyCancels(call.Buffer(4), [.. TakeForEarlyCancel(parent, InodeBits.Update, 1), .. TakeForEarlyCancel(child, InodeBits.All, 1)]);
        using var reply = await SendAsync(Mdt, call);
        return reply.Get<MdtBody>(1).Nlink;
    }

    /// <summary>Fills the start all records have in common (05 section 5.1).</summary>
    private void FillReint(ref MdtRecReint record, ReintOp operation)
    {
        record.Opcode = operation;
        record.Cap = Caller.Capabilities;
        record.FsUid = Caller.Uid;
        record.FsGid = Caller.Gid;
        record.Suppgid1 = Caller.Uid == 0 ? 0 : uint.MaxValue;
        if (operation is not ReintOp.SetAttr)
        {
            record.Suppgid2 = uint.MaxValue;
        }
    }

    private void FillCaller(ref MdtBody body)
    {
        body.FsUid = body.Uid = Caller.Uid;
        body.FsGid = body.Gid = Caller.Gid;
        body.Capability = Caller.Capabilities;
        body.Suppgid = uint.MaxValue;
    }

    private static void FillEarlyCancels(Span<byte> buffer, ReadOnlySpan<ulong> handles)
    {
        MemoryMarshal.AsRef<LdlmRequest>(buffer).LockCount = (uint)handles.Length;
        handles.CopyTo(MemoryMarshal.Cast<byte, ulong>(buffer[LdlmRequest.HandlesOffset..]));
    }

    private long Now() => Options.Time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A FID nobody has used, out of a sequence the server gave this client (04 section 13.2).</summary>
    private async Task<LuFid> NextFidAsync()
    {
        using var limit = Limit();
        await _fidGate.WaitAsync(limit.Token);
        try
        {
            if (_sequence.Start == 0 || _lastObjectId == FidsPerSequence)
            {
                await AllocateSequenceAsync();
            }

            return new LuFid(_sequence.Start, ++_lastObjectId);
        }
        finally
        {
            _fidGate.Release();
        }
    }

    private async Task AllocateSequenceAsync()
    {
        const uint allocateMetadata = 1;
        var call = new RpcCall(Opcode.SeqQuery, sizeof(uint), LuSeqRange.Size);
        MemoryMarshal.Write(call.Buffer(1), allocateMetadata);
        call.Get<LuSeqRange>(2).Index = _sequence.Index;
        using var reply = await SendAsync(Mdt, call);
        _sequence = reply.Get<LuSeqRange>(1);
        _lastObjectId = 0;
        if (_sequence.End <= _sequence.Start)
        {
            throw new RpcException(Errno.EPROTO, message: "an empty range of sequences");
        }
    }
}
