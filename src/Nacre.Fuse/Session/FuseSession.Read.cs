using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>The loop of a reader thread.</summary>
internal sealed partial class FuseSession
{
    /// <summary>Where a request begins in a buffer, so that the data of a WRITE begins on a page.</summary>
    private const int RequestStart = 4096 - RequestHeader.Size - TransferRequest.Size;

    private static int BufferLength(FuseOptions options) => 4096 + options.MaxTransfer + 4096;

    private unsafe void ReadRequests(FuseDevice device)
    {
        var buffer = _buffers.Rent();
        try
        {
            while (true)
            {
                int length = device.Read(buffer.Pointer + RequestStart, buffer.Length - RequestStart);
                if (length >= RequestHeader.Size) buffer = Serve(device, buffer, length);
                else if (!GoesOn(length)) return;
            }
        }
        finally
        {
            _buffers.Return(buffer);
            ReaderEnded();
        }
    }

    /// <summary>Whether another request may come after a read that brought none.</summary>
    private bool GoesOn(int result)
    {
        switch (-result)
        {
            // ENOENT: the request was taken back while it was read.
            case Errno.EINTR or Errno.EAGAIN or Errno.ENOENT:
                return true;
            // Unmounted, or cut off (through /sys/fs/fuse/connections).
            case Errno.ENODEV or Errno.ECONNABORTED:
                return false;
            default:
                Log.ReadFailed(_log, result >= 0 ? $"{result} bytes are no request" : Errno.Name(-result));
                return false;
        }
    }

    /// <returns>The buffer to read the next request into.</returns>
    private NativeBuffer Serve(FuseDevice device, NativeBuffer buffer, int length)
    {
        var request = _requests.Rent();
        request.DropsAtStart = _drops.Count;
        request.Start(device, buffer, RequestStart, length);
        var work = RunAsync(request);
        if (work.IsCompleted)
        {
            work.GetAwaiter().GetResult();
            request.End();
            return buffer;
        }

        if (request.Buffer is not null)
        {
            // Before the request can end: whoever ends it gives the buffer back.
            request.OwnsBuffer = true;
            buffer = _buffers.Rent();
        }

        request.Continue(work);
        return buffer;
    }
}
