using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>What <c>lfs</c> asks of a metadata server (05 section 14).</summary>
internal sealed partial class MetadataClient
{
    /// <summary>Where the question begins behind the key "fid2path" (05 section 3.11).</summary>
    private const int PathQuestionOffset = 16;
    private const int MaxPathBytes = 4096;
    private const int ToolReplyBytes = 1024;

    /// <summary>The default layout of a directory; of the root the file system's where it has none. ENODATA when there is none.</summary>
    public async ValueTask<Outcome<byte[]>> GetDefaultLayoutAsync(LuFid directory, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetattr, MdtBody.Size, 0);
        call.ReplyBytes = ToolReplyBytes + MaxXattrBytes;
        ref var body = ref call.Get<MdtBody>(1);
        FillCaller(ref body, Credentials.Root, NoGroup);
        body.Fid1 = directory;
        body.Valid = ObdMd.FlId | ObdMd.FlEaSize | ObdMd.FlDirEa;
        body.EaDataSize = MaxXattrBytes;
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        if (reply.BufferLength(1) < MdtBody.Size)
        {
            return new Failure(Errno.EPROTO);
        }

        var length = Math.Min(reply.Get<MdtBody>(1).EaDataSize, (uint)reply.BufferLength(2));
        return (reply.Get<MdtBody>(1).Valid & ObdMd.FlDirEa) != 0 && length > 0
            ? reply.Buffer(2)[..(int)length].ToArray()
            : new Failure(Errno.ENODATA);
    }

    /// <summary>Gives a file without objects its layout: an open by FID that carries it (05 section 6.6). EEXIST when it has one.</summary>
    /// <returns>The open handle, to be closed.</returns>
    public async ValueTask<Outcome<ulong>> OpenWithLayoutAsync(LuFid fid, ReadOnlyMemory<byte> layout, Credentials who, uint group)
    {
        var prepared = Target.Locks.Prepare(LdlmResId.OfFid(fid), LockType.IBits, LockMode.CR, LdlmPolicy.IBits(InodeBits.Lookup));
        var call = Rent(
            Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtRecCreate.Size, 0, 0, 1, layout.Length, 0, 0, 0, 0);
        call.ReplyBytes = OpenReplyBytes + EaBytes;
        call.Modifies = true;
        Target.Locks.FillRequest(call, prepared, LdlmFlags.HasIntent, []);
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.Open;
        FillReint(ref call.Get<MdtRecReint>(3), ReintOp.Open, who, group, NoGroup);
        var flags = MdsOpen.Write | MdsOpen.ByFid | MdsOpen.HasEa;
        new OpenArguments(fid, fid, flags, FileTypes.Regular, 0).Fill(ref call.Get<MdtRecCreate>(3), Now);
        WriteName(call.Buffer(6), default);
        layout.Span.CopyTo(call.Buffer(7));
        var sent = await SendIntentAsync(prepared, call, isOpen: true, CancellationToken.None).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var answer = sent.Value;
        return answer.Body.OpenHandle;
    }

    /// <summary>Sets a directory's default layout (05 section 5.3).</summary>
    /// <param name="layout">A lov_user_md; one that says nothing removes the default.</param>
    public async ValueTask<int> SetDefaultLayoutAsync(LuFid directory, ReadOnlyMemory<byte> layout, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(directory, InodeBits.Update | InodeBits.Xattr, cancels).ConfigureAwait(false);
        var call = Rent(Opcode.MdsReint, MdtRecSetattr.Size, 0, 0, layout.Length, 0, CancelBytes(count));
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetAttr, who, group, NoGroup);
        new SetAttrArguments(directory, default).Fill(ref call.Get<MdtRecSetattr>(1));
        layout.Span.CopyTo(call.Buffer(4));
        FillEarlyCancels(call.Buffer(6), cancels.AsSpan(0, count));
        var sent = await SendAsync(call, CancellationToken.None).ConfigureAwait(false);
        if (sent.IsOk)
        {
            sent.Value.Dispose();
        }

        return sent.Errno;
    }

    /// <summary>A path of an object, without leading slash, relative to <paramref name="root"/> (MDS_GET_INFO, 05 section 3.11).</summary>
    /// <param name="link">Which of its names, from 0.</param>
    public async ValueTask<Outcome<(byte[] Path, bool HasMore)>> GetPathAsync(LuFid fid, LuFid root, uint link, CancellationToken ct)
    {
        var call = Rent(Opcode.MdsGetInfo, PathQuestionOffset + GetinfoFid2Path.Size + LuFid.Size, sizeof(uint));
        call.ReplyBytes = ToolReplyBytes + MaxPathBytes;
        FillPathQuestion(call, fid, root, link);
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        if (reply.BufferLength(1) < GetinfoFid2Path.Size)
        {
            return new Failure(Errno.EPROTO);
        }

        var answer = reply.Get<GetinfoFid2Path>(1);
        var path = reply.Buffer(1)[GetinfoFid2Path.Size..];
        var end = path.IndexOf((byte)0);
        return end < 0 ? new Failure(Errno.EPROTO) : (path[..end].ToArray(), answer.LinkNumber > link);
    }

    private static void FillPathQuestion(RpcCall call, LuFid fid, LuFid root, uint link)
    {
        var key = call.Buffer(1);
        "fid2path"u8.CopyTo(key);
        var question = new GetinfoFid2Path { Fid = fid, RecordNumber = ulong.MaxValue, LinkNumber = link, PathLength = MaxPathBytes };
        MemoryMarshal.Write(key[PathQuestionOffset..], question);
        MemoryMarshal.Write(key[(PathQuestionOffset + GetinfoFid2Path.Size)..], root);
        call.Get<uint>(2) = GetinfoFid2Path.Size + MaxPathBytes;
    }
}
