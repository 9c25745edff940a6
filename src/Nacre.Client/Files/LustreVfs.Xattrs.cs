using System.Text;
using Nacre.Client.Inodes;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Extended attributes. All of an inode's are fetched at once and kept under its XATTR lock; the access ACL comes and goes with the mode.</summary>
internal sealed partial class LustreVfs
{
    /// <summary>
    /// What servers keep as attributes of an object: its FID, names, layout, size, state (05 section 13). Each can be asked for by name; listed, they would be
    /// copied with a file by whatever copies attributes, where they mean nothing and do not compare.
    /// </summary>
    private static readonly HashSet<string> ServersOwn =
    [
        "trusted.dmv", "trusted.fid", "trusted.hsm", "trusted.link", "trusted.lma", "trusted.lmv", "trusted.lov", "trusted.som", "trusted.version",
    ];

    public async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)node;
        if (name.Span.SequenceEqual(XattrNames.AccessAcl))
        {
            return await GetAclAsync(inode, ct).ConfigureAwait(false);
        }

        if (IsForTools(name.Span))
        {
            return await GetForToolAsync(inode, name, who, ct).ConfigureAwait(false);
        }

        var all = await GetXattrsAsync(inode, ct).ConfigureAwait(false);
        if (all.IsOk)
        {
            return all.Value.TryGetValue(name.ToArray(), out var value) ? new ReadOnlyMemory<byte>(value) : new Failure(Errno.ENODATA);
        }

        if (all.Errno != Errno.ERANGE)
        {
            return new Failure(all.Errno);
        }

        var single = await _mdc.GetXattrAsync(inode.Fid, name, who, ct).ConfigureAwait(false);
        return single.IsOk ? new ReadOnlyMemory<byte>(single.Value) : new Failure(single.Errno);
    }

    public async ValueTask<Outcome<ReadOnlyMemory<byte>>> ListXattrsAsync(Node node, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)node;
        var all = await GetXattrsAsync(inode, ct).ConfigureAwait(false);
        if (all.Errno == Errno.ERANGE)
        {
            var list = await _mdc.ListXattrsAsync(inode.Fid, who, ct).ConfigureAwait(false);
            return list.IsOk ? Filter(SplitNames(list.Value), who) : new Failure(list.Errno);
        }

        if (!all.IsOk)
        {
            return new Failure(all.Errno);
        }

        var names = all.Value.Keys.ToList();
        if (await GetAclAsync(inode, ct).ConfigureAwait(false) is { IsOk: true })
        {
            names.Add(XattrNames.AccessAcl.ToArray());
        }

        return Filter(names, who);
    }

    public ValueTask<Outcome<Done>> SetXattrAsync(
        Node node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, int flags, Credentials who, CancellationToken ct) =>
        name.Span.SequenceEqual(LayoutName)
            ? SetLayoutAsync((LustreInode)node, value, who)
            : ChangeXattrAsync((LustreInode)node, name, value, (uint)flags, who);

    public ValueTask<Outcome<Done>> RemoveXattrAsync(Node node, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        ChangeXattrAsync((LustreInode)node, name, null, 0, who);

    private async ValueTask<Outcome<Done>> ChangeXattrAsync(
        LustreInode inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte>? value, uint flags, Credentials who)
    {
        if (_options.ReadOnly)
        {
            return new Failure(Errno.EROFS);
        }

        // The bits that 05 section 10 has called back.
        var bits = name.Span.SequenceEqual(XattrNames.AccessAcl)
            ? InodeBits.Update | InodeBits.Perm | InodeBits.Lookup
            : InodeBits.Update | InodeBits.Xattr;
        return Completed(await _mdc.SetXattrAsync(inode.Fid, name, value, flags, bits, who, inode.Group).ConfigureAwait(false));
    }

    private async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetAclAsync(LustreInode inode, CancellationToken ct)
    {
        if (!_mdc.Import.ConnectData.Has(ConnectFlags.Acl))
        {
            return new Failure(Errno.EOPNOTSUPP);
        }

        if (!inode.TryGetAcl(out var acl))
        {
            var answered = await GetByFidAsync(inode, ct).ConfigureAwait(false);
            if (!answered.IsOk)
            {
                return new Failure(answered.Errno);
            }

            using var answer = answered.Value;
            inode.Take(answer);
            acl = answer.Acl.ToArray();
        }

        return acl.Length > 0 ? new ReadOnlyMemory<byte>(acl) : new Failure(Errno.ENODATA);
    }

    private async ValueTask<Outcome<IReadOnlyDictionary<byte[], byte[]>>> GetXattrsAsync(LustreInode inode, CancellationToken ct)
    {
        if (inode.Xattrs is { } known)
        {
            return Outcome(known);
        }

        var answered = await RetryAsync(static (mdc, inode, ct) => mdc.GetAllXattrsAsync(inode, ct), inode, ct).ConfigureAwait(false);
        if (!answered.IsOk)
        {
            return new Failure(answered.Errno);
        }

        using var answer = answered.Value;
        return inode.TakeXattrs(answer) is { } all ? Outcome(all) : new Failure(Errno.EPROTO);
    }

    /// <summary>Interfaces have no implicit conversions.</summary>
    private static Outcome<IReadOnlyDictionary<byte[], byte[]>> Outcome(IReadOnlyDictionary<byte[], byte[]> value) =>
        Outcome<IReadOnlyDictionary<byte[], byte[]>>.Of(value);

    private static IEnumerable<byte[]> SplitNames(byte[] list)
    {
        for (var start = 0; start < list.Length;)
        {
            var end = Array.IndexOf(list, (byte)0, start);
            end = end < 0 ? list.Length : end;
            yield return list[start..end];
            start = end + 1;
        }
    }

    /// <summary>Only root sees the trusted ones, as on every Linux file system, and nobody those of the servers.</summary>
    private static ReadOnlyMemory<byte> Filter(IEnumerable<byte[]> names, Credentials who)
    {
        var shown = names.Where(name => name.Length > 0 && (!name.AsSpan().StartsWith(XattrNames.Trusted)
            || (who.Uid == 0 && !ServersOwn.Contains(Encoding.Latin1.GetString(name)))));
        return shown.SelectMany(static name => name.Append((byte)0)).ToArray();
    }
}
