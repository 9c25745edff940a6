using Microsoft.AspNetCore.Http;

namespace Nacre.ControlPlane.Api;

/// <summary>
/// Reads bodies into memory, each and all together within bounds. They have to be whole before anything is known of the caller, as the signature covers
/// their hash. Safe for any thread.
/// </summary>
internal sealed class BodyReader(ApiLimits limits)
{
    private const int FirstBytes = 4096;

    private long _bytesInUse;

    /// <summary>Bytes of all bodies that are in memory.</summary>
    public long BytesInUse => Interlocked.Read(ref _bytesInUse);

    /// <exception cref="ApiException">It is too large or too slow, broken off, or there are too many.</exception>
    public async Task<Body> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(limits.BodyTime);
        var body = new Body(this);
        try
        {
            await FillAsync(body, request, time.Token);
            return body;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            body.Dispose();
            throw new ApiException("RequestTimeoutException", "The body did not come in time.", 408);
        }
        catch (BadHttpRequestException e)
        {
            body.Dispose();
            throw Translate(e);
        }
        catch (IOException) when (!request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // The connection is there, so it is what came over it: Kestrel has no better exception for a chunk whose size is no 31-bit number.
            body.Dispose();
            throw Malformed();
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private async Task FillAsync(Body body, HttpRequest request, CancellationToken cancellationToken)
    {
        // The length is only what the client says, so memory follows what has come.
        body.Grow((int)Math.Clamp(request.ContentLength ?? FirstBytes, 1, FirstBytes));
        while (body.Bytes.Length <= limits.BodyBytes)
        {
            var read = await request.Body.ReadAsync(body.Free, cancellationToken);
            if (read == 0) return;
            body.Advance(read);
            if (body.Free.IsEmpty) body.Grow(Math.Min(body.Bytes.Length * 2, limits.BodyBytes + 1));
        }

        body.Dispose();
        await SkipAsync(request, cancellationToken);
        throw TooLarge();
    }

    /// <summary>
    /// Reads to the end: most clients send all before they look for an answer, and would find a broken connection instead of one. Kestrel ends what
    /// is over <see cref="ApiLimits.SkippedBytes"/>.
    /// </summary>
    private static async Task SkipAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var buffer = new byte[FirstBytes];
        while (await request.Body.ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }

    private static ApiException Translate(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge(),
        StatusCodes.Status408RequestTimeout => new ApiException("RequestTimeoutException", "The body did not come in time.", 408),
        _ => Malformed(),
    };

    private static ApiException Malformed() => new("MalformedHttpRequestException", "The body is broken off, or not sent as HTTP has it.");

    private static ApiException TooLarge() => new("RequestEntityTooLargeException", "The body is too large.", 413);

    private void Reserve(int bytes)
    {
        if (Interlocked.Add(ref _bytesInUse, bytes) <= limits.AllBodiesBytes) return;
        Release(bytes);
        throw new ApiException("ServiceUnavailable", "Too many requests are being read; try again.", 503);
    }

    private void Release(int bytes) => Interlocked.Add(ref _bytesInUse, -bytes);

    /// <summary>A body in memory, counted until it is disposed of.</summary>
    internal sealed class Body(BodyReader owner) : IDisposable
    {
        private byte[] _buffer = [];
        private int _length;

        public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

        public Memory<byte> Free => _buffer.AsMemory(_length);

        public void Advance(int bytes) => _length += bytes;

        public void Grow(int size)
        {
            owner.Reserve(size - _buffer.Length);
            Array.Resize(ref _buffer, size);
        }

        public void Dispose()
        {
            owner.Release(_buffer.Length);
            _buffer = [];
            _length = 0;
        }
    }
}
