using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>Requests without lock or change (05 section 3).</summary>
internal sealed partial class MetadataClient
{
    private const ObdMd RootAttributes = (ObdMd)0x1100008081016fff;
    private const int PageReplyBytes = 1024;

    /// <summary>The FID of the directory that is mounted.</summary>
    /// <param name="fileset">Path of a subdirectory, beginning with a slash; empty for the root.</param>
    public async ValueTask<Outcome<LuFid>> GetRootAsync(string fileset, CancellationToken ct)
    {
        var length = System.Text.Encoding.UTF8.GetByteCount(fileset);
        var call = length == 0 ? Rent(Opcode.MdsGetRoot, MdtBody.Size) : Rent(Opcode.MdsGetRoot, MdtBody.Size, length + 1);
        if (length > 0)
        {
            WriteText(call.Buffer(2), fileset);
        }

        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        if (reply.BufferLength(1) < MdtBody.Size || reply.Get<MdtBody>(1).Fid1.IsZero)
        {
            return new Failure(Errno.EPROTO);
        }

        return reply.Get<MdtBody>(1).Fid1;
    }

    /// <summary>Attributes without a lock.</summary>
    public async ValueTask<Outcome<RpcReply>> GetAttributesAsync(LuFid fid, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetattr, MdtBody.Size, 0);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = fid;
        body.Valid = RootAttributes;
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk || (sent.Value.BufferLength(1) >= MdtBody.Size && JudgeBody(sent.Value.Get<MdtBody>(1)) == 0))
        {
            return sent;
        }

        sent.Value.Dispose();
        return new Failure(Errno.EPROTO);
    }

    /// <summary>FID of a name, without attributes or lock (raw lookup, 05 section 3.4).</summary>
    public async ValueTask<Outcome<LuFid>> GetFidAsync(LuFid parent, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetattrName, MdtBody.Size, 0, name.Length + 1);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, who, NoGroup);
        body.Fid1 = parent;
        body.Valid = ObdMd.FlId;
        WriteName(call.Buffer(3), name.Span);
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        return reply.BufferLength(1) >= MdtBody.Size ? reply.Get<MdtBody>(1).Fid1 : new Failure(Errno.EPROTO);
    }

    /// <summary>Target of a symbolic link, checked as 05 section 3.3 says.</summary>
    /// <param name="length">Its length, which is the link's size.</param>
    public async ValueTask<Outcome<byte[]>> ReadLinkAsync(LuFid fid, int length, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetattr, MdtBody.Size, 0);
        call.ReplyBytes = PageReplyBytes + length;
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = fid;
        body.Valid = ObdMd.FlId | ObdMd.LinkName;
        body.EaDataSize = (uint)length + 1;
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        var target = reply.Buffer(2);
        if (reply.BufferLength(1) < MdtBody.Size || reply.Get<MdtBody>(1).EaDataSize != length + 1 || target.IndexOf((byte)0) != length)
        {
            return new Failure(Errno.EPROTO);
        }

        return target[..length].ToArray();
    }

    /// <param name="wholeFileSystem">OSTs included, where the server sums them up (05 section 3.2); see <see cref="StatfsState.Sum"/>.</param>
    public async ValueTask<Outcome<ObdStatfs>> GetStatusAsync(bool wholeFileSystem, CancellationToken ct)
    {
        var sums = wholeFileSystem && Import.ConnectData.Has(ConnectFlags2.SumStatfs);
        var call = sums ? Rent(Opcode.MdsStatfs, MdtBody.Size) : Rent(Opcode.MdsStatfs);
        if (sums)
        {
            call.Get<MdtBody>(1).Valid = ObdMd.FlagStatfs;
        }

        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        return reply.BufferLength(1) >= ObdStatfs.Size ? reply.Get<ObdStatfs>(1) : new Failure(Errno.EPROTO);
    }

    /// <summary>Directory pages from a hash on; returns bytes received: whole pages, at least one (05 section 4.1).</summary>
    public async ValueTask<Outcome<int>> ReadPagesAsync(LuFid directory, ulong hash, Memory<byte> into, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsReadpage, MdtBody.Size, 0);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = directory;
        body.Valid = ObdMd.FlId;
        body.ObjectSize = hash;
        body.Mode = (uint)(LuDirentAttrs.Fid | LuDirentAttrs.Type);
        body.Nlink = (uint)into.Length;
        call.SetBulk(BulkDirection.Read, Portal.MdsBulk, new[] { into }, 1);
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        return reply.BulkBytes is > 0 and var bytes && bytes % LuDirpage.PageSize == 0 ? bytes : new Failure(Errno.EPROTO);
    }

    /// <summary>Makes an object's metadata durable; with a zero FID everything (05 section 3.6).</summary>
    public async ValueTask<int> SyncAsync(LuFid fid, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsSync, MdtBody.Size, 0);
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = fid;
        body.Valid = fid.IsZero ? ObdMd.None : ObdMd.FlId;
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (sent.IsOk)
        {
            sent.Value.Dispose();
        }

        return sent.Errno;
    }
}
