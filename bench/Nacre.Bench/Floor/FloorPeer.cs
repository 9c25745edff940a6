using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nacre.Bench.Client;

namespace Nacre.Bench.Floor;

/// <summary>What the other end of a floor connection does.</summary>
internal enum FloorMode
{
    /// <summary>Answers each request of a fixed size with a reply of a fixed size.</summary>
    Echo = 1,

    /// <summary>Takes bytes until the end of the stream, then says how many there were.</summary>
    Sink = 2,

    /// <summary>Sends chunks until the connection is closed.</summary>
    Source = 3,
}

/// <summary>
/// The far end of the floors, in a process of its own as a server is. Blocking sockets and one thread a connection: the least
/// that anything behind a TCP socket can cost. It ends when its standard input does, so it never outlives who started it.
/// </summary>
internal static class FloorPeer
{
    /// <summary>What a connection begins with: mode, request size or chunk size, reply size; 4 bytes each.</summary>
    public const int PreambleSize = 12;

    private const int BufferBytes = 1 << 20;
    private const int OutputBytes = 256 << 10;

    public static int Run()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Console.Out.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture));
        Console.Out.Flush();
        new Thread(() => Accept(listener)) { IsBackground = true }.Start();
        while (Console.In.Read() >= 0)
        {
        }

        return 0;
    }

    private static void Accept(Socket listener)
    {
        while (true)
        {
            var socket = listener.Accept();
            new Thread(() => Serve(socket)) { IsBackground = true }.Start();
        }
    }

    private static void Serve(Socket socket)
    {
        using var owned = socket;
        socket.NoDelay = true;
        try
        {
            Span<byte> preamble = stackalloc byte[PreambleSize];
            Handshake.ReceiveAll(socket, preamble);
            var size = BinaryPrimitives.ReadInt32LittleEndian(preamble[4..]);
            var replySize = BinaryPrimitives.ReadInt32LittleEndian(preamble[8..]);
            switch ((FloorMode)BinaryPrimitives.ReadInt32LittleEndian(preamble))
            {
                case FloorMode.Echo:
                    Echo(socket, size, replySize);
                    break;
                case FloorMode.Sink:
                    Sink(socket);
                    break;
                case FloorMode.Source:
                    Source(socket, size);
                    break;
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // The measuring side is done and has closed its end.
        }
    }

    private static void Echo(Socket socket, int requestSize, int replySize)
    {
        var input = new byte[BufferBytes];
        var output = new byte[Math.Max(replySize, OutputBytes)];
        var pending = 0;
        while (true)
        {
            var received = socket.Receive(input);
            if (received == 0) return;
            pending += received;
            var replies = pending / requestSize;
            pending -= replies * requestSize;
            var perSend = output.Length / replySize;
            for (; replies > 0; replies -= perSend)
            {
                Handshake.SendAll(socket, output.AsSpan(0, Math.Min(replies, perSend) * replySize));
            }
        }
    }

    private static void Sink(Socket socket)
    {
        var buffer = new byte[BufferBytes];
        long total = 0;
        int received;
        while ((received = socket.Receive(buffer)) > 0) total += received;
        Span<byte> answer = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(answer, total);
        Handshake.SendAll(socket, answer);
    }

    private static void Source(Socket socket, int chunk)
    {
        var buffer = new byte[chunk];
        while (true) Handshake.SendAll(socket, buffer);
    }
}
