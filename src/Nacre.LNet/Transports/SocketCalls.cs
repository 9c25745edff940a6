using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nacre.LNet.Transports;

/// <summary>
/// The one operating-system call the socket classes do not offer: a gathering send of pinned memory of any kind that never
/// waits. Linux x86-64.
/// </summary>
internal static unsafe partial class SocketCalls
{
    private const int MsgDontWait = 0x40;
    private const int MsgNoSignal = 0x4000;
    private const int Eintr = 4;
    private const int Eagain = 11;

    /// <summary>Sends what fits now. Returns the bytes taken, 0 when the socket's buffer is full.</summary>
    /// <exception cref="IOException">The connection is broken or closed.</exception>
    public static int SendNow(SafeSocketHandle socket, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        while (true)
        {
            var sent = SendMessage(socket, &message, MsgDontWait | MsgNoSignal);
            if (sent >= 0) return (int)sent;
            var error = Marshal.GetLastPInvokeError();
            if (error == Eagain) return 0;
            if (error != Eintr) throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(SafeSocketHandle socket, MessageHeader* message, int flags);

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary><c>struct msghdr</c>; the runtime's padding is the same as the compiler's.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
