using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>
/// Changes (MDS_REINT, 05 section 5). Locks the change would have called back are given up in the same request (03 section 17.1).
/// </summary>
internal sealed partial class MetadataClient
{
    /// <summary>Early cancels of one request; what is left over is called back.</summary>
    private const int MaxCancels = 8;

    /// <summary>Makes a directory, device, fifo, socket, or a regular file without objects.</summary>
    /// <param name="device">Device number as <see cref="Attributes.Device"/>.</param>
    public ValueTask<Outcome<RpcReply>> MakeAsync(
        LuFid parent, LuFid fid, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, Credentials who, uint group) =>
        MakeAsync(parent, fid, name, default, new NewObject(mode, umask, device), who, group);

    public ValueTask<Outcome<RpcReply>> MakeSymlinkAsync(
        LuFid parent, LuFid fid, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Credentials who, uint group) =>
        MakeAsync(parent, fid, name, target, new NewObject(FileTypes.Symlink | 0x1ff, 0, 0), who, group);

    private async ValueTask<Outcome<RpcReply>> MakeAsync(
        LuFid parent, LuFid fid, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, NewObject made, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(parent, InodeBits.Update, cancels).ConfigureAwait(false);
        var call = Rent(
            Opcode.MdsReint, MdtRecCreate.Size, 0, name.Length + 1, target.Length == 0 ? 0 : target.Length + 1, CancelBytes(count), 0, 0, 0, 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Create, who, group, NoGroup);
        ref var record = ref call.Get<MdtRecCreate>(1);
        (record.Fid1, record.Fid2, record.Mode, record.Umask) = (parent, fid, made.Mode, made.Umask);
        (record.Rdev, record.Time) = (Devices.ToWire(made.Device), Now);
        WriteName(call.Buffer(3), name.Span);
        WriteName(call.Buffer(4), target.Span);
        FillEarlyCancels(call.Buffer(5), cancels.AsSpan(0, count));
        return await SendForBodyAsync(call, mustDescribe: true).ConfigureAwait(false);
    }

    public async ValueTask<Outcome<RpcReply>> LinkAsync(
        LuFid fid, LuFid directory, ReadOnlyMemory<byte> name, Credentials who, uint group, uint directoryGroup)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(directory, InodeBits.Update, cancels).ConfigureAwait(false);
        count += await TakeCancelsAsync(fid, InodeBits.Update | InodeBits.Xattr, cancels.AsMemory(count)).ConfigureAwait(false);
        var call = Rent(Opcode.MdsReint, MdtRecName.Size, 0, 0, name.Length + 1, CancelBytes(count), 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Link, who, group, directoryGroup);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time) = (fid, directory, Now);
        WriteName(call.Buffer(4), name.Span);
        FillEarlyCancels(call.Buffer(5), cancels.AsSpan(0, count));
        return await SendForBodyAsync(call, mustDescribe: false).ConfigureAwait(false);
    }

    /// <param name="child">Object the name leads to, zero when that is not known.</param>
    /// <returns>Attributes of what lost the name.</returns>
    public async ValueTask<Outcome<RpcReply>> RemoveAsync(
        LuFid parent, ReadOnlyMemory<byte> name, LuFid child, bool isDirectory, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(parent, InodeBits.Update, cancels).ConfigureAwait(false);
        if (!child.IsZero)
        {
            count += await TakeCancelsAsync(child, InodeBits.Lookup | InodeBits.Update, cancels.AsMemory(count)).ConfigureAwait(false);
        }

        var call = Rent(Opcode.MdsReint, MdtRecName.Size, 0, name.Length + 1, CancelBytes(count), 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Unlink, who, group, NoGroup);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time) = (parent, child, Now);
        record.Mode = isDirectory ? FileTypes.Directory : 0;
        WriteName(call.Buffer(3), name.Span);
        FillEarlyCancels(call.Buffer(4), cancels.AsSpan(0, count));
        return await SendForBodyAsync(call, mustDescribe: false).ConfigureAwait(false);
    }

    /// <returns>Attributes of what was overwritten; without FID when nothing was.</returns>
    public async ValueTask<Outcome<RpcReply>> RenameAsync(RenameArguments rename, Credentials who)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(rename.From, InodeBits.Update, cancels).ConfigureAwait(false);
        if (rename.To != rename.From)
        {
            count += await TakeCancelsAsync(rename.To, InodeBits.Update, cancels.AsMemory(count)).ConfigureAwait(false);
        }

        count += await TakeCancelsAsync(rename.Moved, InodeBits.Lookup | InodeBits.Xattr, cancels.AsMemory(count)).ConfigureAwait(false);
        if (!rename.Victim.IsZero)
        {
            count += await TakeCancelsAsync(rename.Victim, InodeBits.Lookup | InodeBits.Update, cancels.AsMemory(count)).ConfigureAwait(false);
        }

        var call = Rent(Opcode.MdsReint, MdtRecName.Size, 0, 0, rename.OldName.Length + 1, rename.NewName.Length + 1, CancelBytes(count), 0);
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.Rename, who, rename.FromGroup, rename.ToGroup);
        ref var record = ref call.Get<MdtRecName>(1);
        (record.Fid1, record.Fid2, record.Time, record.Mode) = (rename.From, rename.To, Now, rename.Type);
        WriteName(call.Buffer(4), rename.OldName.Span);
        WriteName(call.Buffer(5), rename.NewName.Span);
        FillEarlyCancels(call.Buffer(6), cancels.AsSpan(0, count));
        return await SendForBodyAsync(call, mustDescribe: false).ConfigureAwait(false);
    }

    /// <returns>Attributes after the change, without those of the objects.</returns>
    public async ValueTask<Outcome<RpcReply>> SetAttributesAsync(SetAttrArguments change, InodeBits cancelled, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(change.Fid, cancelled, cancels).ConfigureAwait(false);
        var call = Rent(Opcode.MdsReint, MdtRecSetattr.Size, 0, 0, 0, 0, CancelBytes(count));
        FillReint(ref call.Get<MdtRecReint>(1), ReintOp.SetAttr, who, group, NoGroup);
        change.Fill(ref call.Get<MdtRecSetattr>(1));
        FillEarlyCancels(call.Buffer(6), cancels.AsSpan(0, count));
        return await SendForBodyAsync(call, mustDescribe: true).ConfigureAwait(false);
    }

    /// <summary>MDS_CLOSE: gives an open handle up, and says what became of size and times (05 section 8).</summary>
    public async ValueTask<int> CloseAsync(ulong handle, SetAttrArguments last, Credentials who)
    {
        var call = Rent(Opcode.MdsClose, MdtIoEpoch.Size, MdtRecSetattr.Size, 0);
        call.Get<MdtIoEpoch>(1).OpenHandle = handle;
        FillReint(ref MemoryMarshal.AsRef<MdtRecReint>(call.Buffer(2)), ReintOp.SetAttr, who, NoGroup, NoGroup);
        last.Fill(ref call.Get<MdtRecSetattr>(2));
        var sent = await SendAsync(call, CancellationToken.None).ConfigureAwait(false);
        if (sent.IsOk)
        {
            sent.Value.Dispose();
        }

        return sent.Errno;
    }

    private async ValueTask<Outcome<RpcReply>> SendForBodyAsync(RpcCall call, bool mustDescribe)
    {
        var sent = await SendAsync(call, CancellationToken.None).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return sent;
        }

        if (sent.Value.BufferLength(1) >= MdtBody.Size && (!mustDescribe || JudgeBody(sent.Value.Get<MdtBody>(1)) == 0))
        {
            return sent;
        }

        sent.Value.Dispose();
        return new Failure(Errno.EPROTO);
    }

    private readonly record struct NewObject(uint Mode, uint Umask, ulong Device);
}

/// <summary>What moves where.</summary>
/// <param name="Moved">Object the old name leads to.</param>
/// <param name="Victim">Object the new name leads to, zero when there is none or none is known.</param>
/// <param name="Type">S_IFMT bits of what moves.</param>
internal readonly record struct RenameArguments(
    LuFid From, ReadOnlyMemory<byte> OldName, LuFid To, ReadOnlyMemory<byte> NewName, LuFid Moved, LuFid Victim, uint Type)
{
    public uint FromGroup { get; init; }

    public uint ToGroup { get; init; }
}

/// <summary>The variable part of a <c>mdt_rec_setattr</c> (05 section 5.3). Times are seconds since 1970.</summary>
internal readonly record struct SetAttrArguments(LuFid Fid, MdsAttr Valid)
{
    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public long Size { get; init; }

    public ulong Blocks { get; init; }

    public long AccessTime { get; init; }

    public long ModifyTime { get; init; }

    public long ChangeTime { get; init; }

    public MdsBias Bias { get; init; }

    public void Fill(ref MdtRecSetattr record)
    {
        (record.Fid, record.Valid, record.Bias) = (Fid, Valid, Bias);
        (record.Mode, record.Uid, record.Gid) = (Mode, Uid, Gid);
        (record.ObjectSize, record.Blocks) = ((ulong)Size, Blocks);
        (record.Atime, record.Mtime, record.Ctime) = (AccessTime, ModifyTime, ChangeTime);
    }
}

/// <summary>Device numbers: on the wire 16 bits, 8 of each half (05 section 2.4); Linux programs see the wide form.</summary>
internal static class Devices
{
    public static ulong ToWire(ulong device)
    {
        var (major, minor) = (((device >> 8) & 0xfff) | ((device >> 32) & ~0xfffUL), (device & 0xff) | ((device >> 12) & ~0xffUL));
        return (major << 8) | (minor & 0xff);
    }

    public static ulong FromWire(uint device)
    {
        ulong major = (device >> 8) & 0xff;
        ulong minor = device & 0xff;
        return (major << 8) | minor;
    }
}
