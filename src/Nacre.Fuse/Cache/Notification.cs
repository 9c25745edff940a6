using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;
using Nacre.Fuse.Session;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Cache;

/// <summary>One call into the kernel that makes it give up something; may block there.</summary>
internal abstract class Notification
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _thread;

    /// <summary>Completes when the kernel has done it.</summary>
    public Task Done => _done.Task;

    /// <summary>Whether it waits in the kernel for something. False while it waits for a processor, or for its turn.</summary>
    public bool IsBlocked => Volatile.Read(ref _thread) is var thread and not 0 && !Done.IsCompleted && ThreadState.Sleeps(thread);

    /// <returns>0 or a positive errno.</returns>
    public int Send(FuseDevice device)
    {
        Volatile.Write(ref _thread, LinuxCalls.ThreadId());
        int errno = SendCore(device);
        Volatile.Write(ref _thread, 0);
        return errno;
    }

    public void Complete() => _done.TrySetResult();

    protected abstract int SendCore(FuseDevice device);

    protected static unsafe int Write<T>(FuseDevice device, NotifyCode code, T body, ReadOnlySpan<byte> name)
        where T : unmanaged
    {
        // A name ends with a NUL.
        Span<byte> tail = stackalloc byte[name.Length + 1];
        name.CopyTo(tail);
        tail[^1] = 0;
        int tailLength = code == NotifyCode.InvalidateEntry ? tail.Length : 0;
        var header = new ReplyHeader { Length = (uint)(ReplyHeader.Size + sizeof(T) + tailLength), Error = (int)code };
        fixed (byte* tailPointer = tail)
        {
            var vectors = stackalloc LinuxCalls.IoVector[3];
            vectors[0] = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
            vectors[1] = new LinuxCalls.IoVector((nint)(&body), sizeof(T));
            vectors[2] = new LinuxCalls.IoVector((nint)tailPointer, tailLength);
            return device.Write(vectors, tailLength > 0 ? 3 : 2);
        }
    }
}

/// <summary>Attributes and ACLs of a node.</summary>
internal sealed class AttributesNotification(NodeEntry entry) : Notification
{
    protected override int SendCore(FuseDevice device)
    {
        entry.BeginNotification();
        int errno = Write(device, NotifyCode.InvalidateInode, new InvalidateInode { NodeId = entry.Id, Offset = -1 }, default);
        entry.EndNotification();
        return errno;
    }
}

/// <summary>Ranges of the pages of a node, one after the other, and its attributes.</summary>
internal sealed class PagesNotification(NodeEntry entry, IReadOnlyList<PageRange> ranges) : Notification
{
    private int _dropped;

    /// <summary>The ranges that are not known to be dropped yet; the first may be in part.</summary>
    public IEnumerable<PageRange> Left => ranges.Skip(Volatile.Read(ref _dropped));

    protected override int SendCore(FuseDevice device)
    {
        foreach (var range in ranges)
        {
            // Length 0 says "to the end" to the kernel.
            long length = range.End == long.MaxValue ? 0 : range.End - range.Start;
            entry.BeginNotification();
            int errno = Write(device, NotifyCode.InvalidateInode, new InvalidateInode { NodeId = entry.Id, Offset = range.Start, Length = length }, default);
            entry.EndNotification();
            if (errno is not (0 or Errno.ENOENT)) return errno;
            Interlocked.Increment(ref _dropped);
        }

        return 0;
    }
}

/// <summary>Nodes that are to go unless something in the kernel uses them: open files, working directories, directories with entries that stay.</summary>
internal sealed class PruneNotification(ulong[] ids) : Notification
{
    /// <summary>The kernel does not know this notification (before 7.45, and the first that call themselves so).</summary>
    public bool IsUnknown { get; private set; }

    protected override unsafe int SendCore(FuseDevice device)
    {
        var body = new PruneNodes { Count = (uint)ids.Length };
        int bytes = ids.Length * sizeof(ulong);
        var header = new ReplyHeader { Length = (uint)(ReplyHeader.Size + PruneNodes.Size + bytes), Error = (int)NotifyCode.Prune };
        fixed (ulong* pointer = ids)
        {
            var vectors = stackalloc LinuxCalls.IoVector[3];
            vectors[0] = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
            vectors[1] = new LinuxCalls.IoVector((nint)(&body), PruneNodes.Size);
            vectors[2] = new LinuxCalls.IoVector((nint)pointer, bytes);
            int errno = device.Write(vectors, 3);
            IsUnknown = errno == Errno.EINVAL;
            return IsUnknown ? 0 : errno;
        }
    }
}

/// <summary>
/// A name. Where the kernel can, it only asks again at the next use: a directory somebody works in stays where it is.
/// </summary>
internal sealed class NameNotification(ulong directoryId, byte[] name, bool canExpire) : Notification
{
    protected override int SendCore(FuseDevice device)
    {
        var body = new InvalidateEntry { ParentId = directoryId, NameLength = (uint)name.Length, Flags = canExpire ? RequestFlags.ExpireOnly : 0 };
        return Write(device, NotifyCode.InvalidateEntry, body, name);
    }
}
