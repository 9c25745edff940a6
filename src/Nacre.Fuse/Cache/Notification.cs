using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Cache;

/// <summary>One call into the kernel that makes it give up something; may block there.</summary>
internal abstract class Notification
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the kernel has done it.</summary>
    public Task Done => _done.Task;

    /// <returns>0 or a positive errno.</returns>
    public abstract int Send(FuseDevice device);

    public void Complete() => _done.TrySetResult();

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

/// <summary>Attributes and ACLs of a node, or also ranges of its pages.</summary>
internal sealed class InodeNotification(ulong nodeId, IReadOnlyList<(long Offset, long Length)> ranges) : Notification
{
    public override int Send(FuseDevice device)
    {
        foreach (var (offset, length) in ranges)
        {
            int errno = Write(device, NotifyCode.InvalidateInode, new InvalidateInode { NodeId = nodeId, Offset = offset, Length = length }, default);
            if (errno is not (0 or Errno.ENOENT)) return errno;
        }

        return 0;
    }
}

/// <summary>
/// A name. Where the kernel can, it only asks again at the next use: a directory somebody works in stays where it is.
/// </summary>
internal sealed class NameNotification(ulong directoryId, byte[] name, bool canExpire) : Notification
{
    public override int Send(FuseDevice device)
    {
        var body = new InvalidateEntry { ParentId = directoryId, NameLength = (uint)name.Length, Flags = canExpire ? RequestFlags.ExpireOnly : 0 };
        return Write(device, NotifyCode.InvalidateEntry, body, name);
    }
}
