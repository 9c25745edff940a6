using System.Net.Sockets;

namespace Nacre.Server.Node.Control;

/// <summary>Lines of JSON on a stream socket, of bounded length.</summary>
internal static class ControlLine
{
    /// <summary>Bytes of the longest line; a status of 256 OSTs has some 30 KiB.</summary>
    private const int MaxBytes = 1 << 20;

    private const int FirstBytes = 4096;

    /// <summary>Where the socket of a data folder is.</summary>
    public static string PathIn(string dataFolder) => Path.Combine(Path.GetFullPath(dataFolder), "nacre.sock");

    /// <summary>The next line without its end.</summary>
    /// <exception cref="IOException">It is too long, or the peer hung up within it.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[FirstBytes];
        for (var have = 0; ;)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(have), cancellationToken);
            if (got == 0)
            {
                throw new IOException("the connection ended within a line");
            }

            var end = buffer.AsSpan(have, got).IndexOf((byte)'\n');
            if (end >= 0)
            {
                return buffer.AsMemory(0, have + end);
            }

            have += got;
            if (have == buffer.Length)
            {
                if (have >= MaxBytes)
                {
                    throw new IOException("the line is too long");
                }

                Array.Resize(ref buffer, have * 2);
            }
        }
    }

    public static async Task WriteAsync(Socket socket, byte[] line, CancellationToken cancellationToken)
    {
        byte[] ended = [.. line, (byte)'\n'];
        for (var sent = 0; sent < ended.Length;)
        {
            sent += await socket.SendAsync(ended.AsMemory(sent), cancellationToken);
        }
    }
}
