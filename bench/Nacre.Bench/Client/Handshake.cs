using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Nacre.Bench.Client;

/// <summary>Opens one typed LNet connection with a blocking socket: acceptor request and HELLO (01 sections 3.2 and 4.2).</summary>
internal static class Handshake
{
    public const int Control = 1;
    public const int BulkIn = 2;
    public const int BulkOut = 3;

    private const int AcceptorSize = 16;
    private const int HelloSize = 56;
    private const uint AcceptorMagic = 0xACCE7100;
    private const uint HelloMagic = 0x45726963;
    private const uint HelloVersion = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <exception cref="IOException">The server closed the connection or answered something else than a HELLO that fits.</exception>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    public static Socket Open(IPEndPoint at, Route route, ulong incarnation, int type)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // On loopback every 127.x address is ours, and the address then agrees with the NID.
            if (IPAddress.IsLoopback(route.From.Nid.Address)) socket.Bind(new IPEndPoint(route.From.Nid.Address, 0));
            socket.Connect(at);
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            Greet(socket, route, incarnation, type);
            socket.ReceiveTimeout = (int)BenchNode.Patience.TotalMilliseconds;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Greet(Socket socket, Route route, ulong incarnation, int type)
    {
        Span<byte> request = stackalloc byte[AcceptorSize + HelloSize];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, AcceptorMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(request[8..], route.To.Nid.Value);
        var hello = request[AcceptorSize..];
        BinaryPrimitives.WriteUInt32LittleEndian(hello, HelloMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(hello[4..], HelloVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(hello[8..], route.From.Nid.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(hello[16..], route.To.Nid.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(hello[24..], route.From.Pid);
        BinaryPrimitives.WriteUInt64LittleEndian(hello[32..], incarnation);
        BinaryPrimitives.WriteInt32LittleEndian(hello[48..], type);
        SendAll(socket, request);

        Span<byte> answer = stackalloc byte[HelloSize];
        ReceiveAll(socket, answer);
        var inverse = type switch { BulkIn => BulkOut, BulkOut => BulkIn, _ => type };
        if (BinaryPrimitives.ReadUInt32LittleEndian(answer) != HelloMagic
            || BinaryPrimitives.ReadUInt64LittleEndian(answer[8..]) != route.To.Nid.Value
            || BinaryPrimitives.ReadInt32LittleEndian(answer[48..]) != inverse)
        {
            throw new IOException($"{route.To} answered a HELLO of type {type} with one that does not fit");
        }
    }

    public static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
    }

    /// <exception cref="IOException">The peer closed the connection before all had come.</exception>
    public static void ReceiveAll(Socket socket, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var received = socket.Receive(bytes);
            if (received == 0) throw new IOException("the peer closed the connection");
            bytes = bytes[received..];
        }
    }
}
