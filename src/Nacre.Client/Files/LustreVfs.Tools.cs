using System.Globalization;
using System.Text;
using Nacre.Client.Inodes;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>
/// Extended attributes that are not stored but asked: the way <c>lfs</c> talks to the file system through any mount. Listings do not show them,
/// so nothing copies them.
/// <list type="table">
/// <item><term>lustre.lov, trusted.lov</term><description>layout of a file, default of a directory, as the MDT has it now (05 section 11); lustre.lov can be set,
/// which is setstripe</description></item>
/// <item><term>lustre.fid</term><description>the FID as text</description></item>
/// <item><term>lustre.fid2path.FID</term><description>all paths of an object below the mount, each ended by NUL; for root</description></item>
/// <item><term>lustre.targets</term><description>a line for each target: see <see cref="DescribeTargets"/></description></item>
/// </list>
/// </summary>
internal sealed partial class LustreVfs
{
    /// <summary>Names of one object that are looked up; more are left out.</summary>
    private const int MaxLinksShown = 1024;

    /// <summary>Most bytes of an attribute's value Linux takes.</summary>
    private const int MaxValueBytes = 65536;

    private static ReadOnlySpan<byte> ToolPrefix => "lustre."u8;

    private static ReadOnlySpan<byte> LayoutName => "lustre.lov"u8;

    private static ReadOnlySpan<byte> PathPrefix => "lustre.fid2path."u8;

    /// <summary>The targets one by one; set by the mount.</summary>
    internal Func<CancellationToken, Task<IReadOnlyList<TargetStatus>>>? Targets { get; init; }

    private static bool IsForTools(ReadOnlySpan<byte> name) => name.StartsWith(ToolPrefix) || name.SequenceEqual(XattrNames.Layout);

    private ValueTask<Outcome<ReadOnlyMemory<byte>>> GetForToolAsync(
        LustreInode inode, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        if (name.Span.SequenceEqual(LayoutName) || name.Span.SequenceEqual(XattrNames.Layout))
        {
            return GetLayoutAsync(inode, ct);
        }

        if (name.Span.StartsWith(PathPrefix))
        {
            return GetPathsAsync(name, who, ct);
        }

        return name.Span.SequenceEqual("lustre.targets"u8)
            ? GetTargetsAsync(ct)
            : ValueTask.FromResult<Outcome<ReadOnlyMemory<byte>>>(
                name.Span.SequenceEqual("lustre.fid"u8) ? Ascii(inode.Fid.ToString()) : new Failure(Errno.ENODATA));
    }

    /// <summary>Fresh from the MDT: who asks for a layout wants to see what others have made of it.</summary>
    private async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetLayoutAsync(LustreInode inode, CancellationToken ct)
    {
        if (!inode.IsDirectory && !inode.IsRegular)
        {
            return new Failure(Errno.ENODATA);
        }

        var layout = inode.IsDirectory
            ? await _mdc.GetDefaultLayoutAsync(inode.Fid, ct).ConfigureAwait(false)
            : await _mdc.GetXattrAsync(inode.Fid, XattrNames.Layout.ToArray(), Credentials.Root, ct).ConfigureAwait(false);
        if (!layout.IsOk)
        {
            return new Failure(layout.Errno);
        }

        return layout.Value.Length > 0 ? new ReadOnlyMemory<byte>(layout.Value) : new Failure(Errno.ENODATA);
    }

    /// <summary>A path tells of directories that the caller may not be allowed to see, hence for root only.</summary>
    private async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetPathsAsync(ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        if (who.Uid != 0)
        {
            return new Failure(Errno.EPERM);
        }

        if (!LuFid.TryParse(Encoding.ASCII.GetString(name.Span[PathPrefix.Length..]), out var fid))
        {
            return new Failure(Errno.EINVAL);
        }

        var paths = new MemoryStream();
        for (uint link = 0; link < MaxLinksShown; link++)
        {
            var got = await _mdc.GetPathAsync(fid, _root.Fid, link, ct).ConfigureAwait(false);
            if (!got.IsOk)
            {
                return new Failure(got.Errno);
            }

            var (path, hasMore) = got.Value;
            if (paths.Length + path.Length + 1 <= MaxValueBytes)
            {
                paths.Write([.. path, 0]);
            }

            if (!hasMore)
            {
                break;
            }
        }

        return new ReadOnlyMemory<byte>(paths.ToArray());
    }

    private async ValueTask<Outcome<ReadOnlyMemory<byte>>> GetTargetsAsync(CancellationToken ct) => Targets is { } targets
        ? Ascii(DescribeTargets(await targets(ct).ConfigureAwait(false)))
        : new Failure(Errno.ENODATA);

    /// <summary>
    /// One target a line, words separated by blanks: MDT or OST, index, UUID, <c>active</c> or <c>inactive</c>, block size in bytes, blocks, free
    /// blocks, available blocks, files, free files. The numbers are missing where it does not answer.
    /// </summary>
    private static string DescribeTargets(IReadOnlyList<TargetStatus> targets)
    {
        var text = new StringBuilder();
        foreach (var target in targets)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(target.IsMdt ? "MDT" : "OST")} {target.Index} {target.Uuid} {(target.IsActive ? "active" : "inactive")}");
            if (target.Status is { } status)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $" {status.BlockSize} {status.Blocks} {status.FreeBlocks} {status.AvailableBlocks} {status.Files} {status.FreeFiles}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>setstripe: of a file that has no objects yet, or the default of a directory.</summary>
    private async ValueTask<Outcome<Done>> SetLayoutAsync(LustreInode inode, ReadOnlyMemory<byte> layout, Credentials who)
    {
        if (_options.ReadOnly)
        {
            return new Failure(Errno.EROFS);
        }

        if (inode.IsDirectory)
        {
            return Completed(await _mdc.SetDefaultLayoutAsync(inode.Fid, layout, who, inode.Group).ConfigureAwait(false));
        }

        if (!inode.IsRegular || layout.IsEmpty)
        {
            return new Failure(Errno.EINVAL);
        }

        var evictions = _mdc.Target.Evictions;
        var opened = await _mdc.OpenWithLayoutAsync(inode.Fid, layout, who, inode.Group).ConfigureAwait(false);
        if (!opened.IsOk)
        {
            return new Failure(opened.Errno);
        }

        var data = await inode.GetDataAsync().ConfigureAwait(false);
        await CloseAsync(inode, opened.Value, evictions, who, data).ConfigureAwait(false);
        return default(Done);
    }

    private static ReadOnlyMemory<byte> Ascii(string text) => Encoding.ASCII.GetBytes(text);
}
