using System.Text;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Paths;

/// <summary>From a path to an inode, as the kernel's walk does it: name by name, symbolic links followed.</summary>
internal sealed class PathWalker(IVfs vfs, Credentials who)
{
    /// <summary>Links followed in one path, as Linux does.</summary>
    private const int MaxLinks = 40;
    private const int MaxPathBytes = 4096;

    /// <summary>The inode, with a reference that goes with the result.</summary>
    public async ValueTask<Outcome<FoundPath>> FindAsync(string path, bool followLast, CancellationToken ct)
    {
        var walk = new Walk(path);
        if (walk.IsTooLong)
        {
            return new Failure(Errno.ENAMETOOLONG);
        }

        var started = await StartAsync(ct).ConfigureAwait(false);
        if (!started.IsOk)
        {
            return started;
        }

        return await WalkAsync(walk, started.Value, followLast, ct).ConfigureAwait(false);
    }

    /// <summary>The directory of the last name, which itself need not exist; with a reference that goes with the result.</summary>
    public async ValueTask<Outcome<FoundParent>> FindParentAsync(string path, CancellationToken ct)
    {
        var trimmed = path.TrimEnd('/');
        var slash = trimmed.LastIndexOf('/');
        var name = trimmed[(slash + 1)..];
        if (name is "" or "." or "..")
        {
            return new Failure(name.Length == 0 ? Errno.EEXIST : Errno.EINVAL);
        }

        var parent = await FindAsync(slash < 0 ? "" : trimmed[..slash], followLast: true, ct).ConfigureAwait(false);
        return parent.IsOk ? new FoundParent(parent.Value, Encoding.UTF8.GetBytes(name)) : new Failure(parent.Errno);
    }

    private async ValueTask<Outcome<FoundPath>> WalkAsync(Walk walk, FoundPath at, bool followLast, CancellationToken ct)
    {
        var links = 0;
        while (walk.TryNext(out var name))
        {
            var next = await StepAsync(at, name, ct).ConfigureAwait(false);
            if (!next.IsOk)
            {
                at.Dispose();
                return next;
            }

            if (next.Value.Node.FileType != FileTypes.Symlink || (walk.IsAtEnd && !followLast))
            {
                at.Dispose();
                at = next.Value;
                continue;
            }

            var target = ++links > MaxLinks ? new Failure(Errno.ELOOP) : await vfs.ReadLinkAsync(next.Value.Node, who, ct).ConfigureAwait(false);
            next.Value.Dispose();
            var started = target.IsOk && target.Value.Span is [(byte)'/', ..] ? await StartAsync(ct).ConfigureAwait(false) : at;
            if (!target.IsOk || !started.IsOk || !walk.TryInsert(target.Value.Span))
            {
                at.Dispose();
                return new Failure(target.Errno != 0 ? target.Errno : started.Errno != 0 ? started.Errno : Errno.ENAMETOOLONG);
            }

            if (started.Value.Node != at.Node)
            {
                at.Dispose();
                at = started.Value;
            }
        }

        return at;
    }

    private async ValueTask<Outcome<FoundPath>> StartAsync(CancellationToken ct)
    {
        var root = await vfs.LookupParentAsync(vfs.Root, who, ct).ConfigureAwait(false);
        return root.IsOk ? new FoundPath(vfs, root.Value.Node!, root.Value.Attributes) : new Failure(root.Errno);
    }

    private async ValueTask<Outcome<FoundPath>> StepAsync(FoundPath at, string name, CancellationToken ct)
    {
        if (at.Node.FileType != FileTypes.Directory)
        {
            return new Failure(Errno.ENOTDIR);
        }

        var found = name == ".."
            ? await vfs.LookupParentAsync(at.Node, who, ct).ConfigureAwait(false)
            : await vfs.LookupAsync(at.Node, Encoding.UTF8.GetBytes(name), who, ct).ConfigureAwait(false);
        return !found.IsOk ? new Failure(found.Errno)
            : found.Value.Node is { } node ? new FoundPath(vfs, node, found.Value.Attributes)
            : new Failure(Errno.ENOENT);
    }

    /// <summary>The names that are left of a path; links put theirs before them.</summary>
    private sealed class Walk
    {
        private readonly Stack<string> _names = new();
        private int _bytes;

        public Walk(string path) => IsTooLong = !TryInsert(Encoding.UTF8.GetBytes(path));

        public bool IsTooLong { get; }

        public bool IsAtEnd => _names.Count == 0;

        public bool TryNext([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? name) => _names.TryPop(out name);

        public bool TryInsert(ReadOnlySpan<byte> path)
        {
            _bytes += path.Length;
            if (_bytes > MaxPathBytes * (MaxLinks + 1) || path.Length > MaxPathBytes)
            {
                return false;
            }

            var parts = Encoding.UTF8.GetString(path).Split('/', StringSplitOptions.RemoveEmptyEntries);
            for (var i = parts.Length - 1; i >= 0; i--)
            {
                if (parts[i] != ".")
                {
                    _names.Push(parts[i]);
                }
            }

            return true;
        }
    }
}

/// <summary>An inode a path led to; disposing takes its reference away.</summary>
internal sealed class FoundPath(IVfs vfs, Node node, Attributes attributes) : IDisposable
{
    private int _disposed;

    public Node Node => node;

    public Attributes Attributes => attributes;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            vfs.Forget(node, 1);
        }
    }
}

/// <summary>A directory, and a name in it.</summary>
internal sealed class FoundParent(FoundPath directory, byte[] name) : IDisposable
{
    public Node Node => directory.Node;

    public ReadOnlyMemory<byte> Name => name;

    public void Dispose() => directory.Dispose();
}
