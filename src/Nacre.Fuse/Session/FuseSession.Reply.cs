using System.Buffers;
using Nacre.Client.Vfs;
using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>
/// Answers. Each is one writev, after which the kernel goes on; what they point to may be given up when they return.
/// </summary>
internal sealed unsafe partial class FuseSession
{
    /// <summary>Segments of one answer: IOV_MAX less the header.</summary>
    private const int MaxSegments = 1023;

    /// <summary>Errno values from here on are the kernel's own and may not be answered.</summary>
    private const int KernelErrno = 512;

    [ThreadStatic]
    private static MemoryHandle[]? _pins;

    private void ReplyError(FuseRequest request, int errno)
    {
        errno = errno switch { Errno.ERESTARTSYS => Errno.EINTR, Errno.ENOTSUPP => Errno.EOPNOTSUPP, <= 0 or >= KernelErrno => Errno.EIO, _ => errno };
        var header = new ReplyHeader { Length = ReplyHeader.Size, Error = -errno, Unique = request.Unique };
        var vector = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
        Send(request, &vector, 1);
    }

    private void ReplyDone(FuseRequest request) => Reply(request, ReadOnlySpan<byte>.Empty);

    /// <returns>False when the kernel did not take it: it no longer waits.</returns>
    private bool Reply<T>(FuseRequest request, in T body)
        where T : unmanaged
    {
        fixed (T* pointer = &body)
        {
            return Reply(request, new ReadOnlySpan<byte>(pointer, sizeof(T)));
        }
    }

    /// <inheritdoc cref="Reply{T}"/>
    private bool Reply(FuseRequest request, ReadOnlySpan<byte> body)
    {
        var header = new ReplyHeader { Length = (uint)(ReplyHeader.Size + body.Length), Unique = request.Unique };
        fixed (byte* pointer = body)
        {
            var vectors = stackalloc LinuxCalls.IoVector[2];
            vectors[0] = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
            vectors[1] = new LinuxCalls.IoVector((nint)pointer, body.Length);
            return Send(request, vectors, body.IsEmpty ? 1 : 2);
        }
    }

    /// <summary>The segments of <paramref name="result"/>, from where they are.</summary>
    private void Reply(FuseRequest request, in ReadResult result)
    {
        var segments = result.Segments;
        if (segments.Count > MaxSegments)
        {
            ReplyCopied(request, in result);
            return;
        }

        var pins = _pins ??= new MemoryHandle[MaxSegments];
        int pinned = 0;
        try
        {
            var header = new ReplyHeader { Length = (uint)(ReplyHeader.Size + result.Length), Unique = request.Unique };
            var vectors = stackalloc LinuxCalls.IoVector[segments.Count + 1];
            vectors[0] = new LinuxCalls.IoVector((nint)(&header), ReplyHeader.Size);
            for (; pinned < segments.Count; pinned++)
            {
                var segment = segments[pinned];
                pins[pinned] = segment.Pin();
                vectors[pinned + 1] = new LinuxCalls.IoVector((nint)pins[pinned].Pointer, segment.Length);
            }

            Send(request, vectors, segments.Count + 1);
        }
        finally
        {
            for (int i = 0; i < pinned; i++)
            {
                pins[i].Dispose();
                pins[i] = default;
            }
        }
    }

    private void ReplyCopied(FuseRequest request, in ReadResult result)
    {
        var buffer = _buffers.Rent();
        int length = 0;
        foreach (var segment in result.Segments)
        {
            segment.Span.CopyTo(buffer.GetSpan()[length..]);
            length += segment.Length;
        }

        Reply(request, buffer.GetSpan()[..length]);
        _buffers.Return(buffer);
    }

    private bool Send(FuseRequest request, LinuxCalls.IoVector* vectors, int count)
    {
        int errno = request.Device.Write(vectors, count);
        request.Answered();
        if (errno == 0) return true;
        // ENOENT: nobody waits any more, after an abort. An INTERRUPT's answer is allowed to come too late.
        Log.ReplyRefused(_log, request.Header.Opcode, Errno.Name(errno));
        return false;
    }
}
