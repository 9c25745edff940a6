using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nacre.Bench.Client;
using Nacre.Bench.Measurement;

namespace Nacre.Bench.Floor;

/// <summary>Starts a <see cref="FloorPeer"/> and measures against it.</summary>
internal sealed class FloorProcess : IDisposable
{
    public const string Command = "floor-peer";
    private const int BufferBytes = 1 << 20;
    private readonly Process _process;
    private readonly IPEndPoint _at;

    private FloorProcess(Process process, IPEndPoint at)
    {
        _process = process;
        _at = at;
    }

    public static FloorProcess Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // Under `dotnet Nacre.Bench.dll` the program is an argument of the host.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(FloorProcess).Assembly.Location);
        }

        start.ArgumentList.Add(Command);
        var process = Process.Start(start)!;
        var port = process.StandardOutput.ReadLine() ?? throw new IOException("the floor's peer process did not start");
        return new FloorProcess(process, new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
    }

    /// <summary>Requests and replies of fixed sizes, <paramref name="window"/> of them in flight on each connection.</summary>
    public RunResult Echo(int requestSize, int replySize, int window, int connections, TimeSpan duration)
    {
        var runs = new EchoClient[connections];
        for (var i = 0; i < connections; i++) runs[i] = new EchoClient(Connect(FloorMode.Echo, requestSize, replySize));
        var before = ProcessorTimes();
        var started = Stopwatch.GetTimestamp();
        var threads = new List<Thread>();
        foreach (var run in runs) threads.Add(new Thread(() => run.Run(requestSize, replySize, window, duration)));
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var elapsed = Stopwatch.GetElapsedTime(started);
        var after = ProcessorTimes();
        var latency = new LatencyHistogram();
        foreach (var run in runs)
        {
            latency.Add(run.Latency);
            run.Dispose();
        }

        return new RunResult(
            latency.Count, latency.Count * (requestSize + replySize), elapsed, after.Own - before.Own, after.Peer - before.Peer, latency);
    }

    /// <summary>Raw TCP from the peer to here (<see cref="FloorMode.Source"/>) or from here to the peer, in sends of one chunk.</summary>
    public RunResult Stream(FloorMode mode, int chunk, TimeSpan duration)
    {
        using var socket = Connect(mode, chunk, 0);
        var before = ProcessorTimes();
        var started = Stopwatch.GetTimestamp();
        var bytes = mode == FloorMode.Sink ? SendFor(socket, chunk, duration) : ReceiveFor(socket, duration);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var after = ProcessorTimes();
        return new RunResult(
            bytes / chunk, bytes, elapsed, after.Own - before.Own, after.Peer - before.Peer, new LatencyHistogram());
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Bytes the peer confirmed to have received.</summary>
    private static long SendFor(Socket socket, int chunk, TimeSpan duration)
    {
        var buffer = new byte[chunk];
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration) Handshake.SendAll(socket, buffer);
        socket.Shutdown(SocketShutdown.Send);
        Span<byte> answer = stackalloc byte[sizeof(long)];
        Handshake.ReceiveAll(socket, answer);
        return BinaryPrimitives.ReadInt64LittleEndian(answer);
    }

    private static long ReceiveFor(Socket socket, TimeSpan duration)
    {
        var buffer = new byte[BufferBytes];
        var started = Stopwatch.GetTimestamp();
        long bytes = 0;
        while (Stopwatch.GetElapsedTime(started) < duration) bytes += socket.Receive(buffer);
        return bytes;
    }

    private Socket Connect(FloorMode mode, int size, int replySize)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(_at);
        Span<byte> preamble = stackalloc byte[FloorPeer.PreambleSize];
        BinaryPrimitives.WriteInt32LittleEndian(preamble, (int)mode);
        BinaryPrimitives.WriteInt32LittleEndian(preamble[4..], size);
        BinaryPrimitives.WriteInt32LittleEndian(preamble[8..], replySize);
        Handshake.SendAll(socket, preamble);
        return socket;
    }

    private (double Own, double Peer) ProcessorTimes() =>
        (ProcessorTime.Of(Environment.ProcessId), ProcessorTime.Of(_process.Id));

    /// <summary>The near end of one echo connection; sends as many new requests as replies came, in one send.</summary>
    private sealed class EchoClient(Socket socket) : IDisposable
    {
        public LatencyHistogram Latency { get; } = new();

        public void Run(int requestSize, int replySize, int window, TimeSpan duration)
        {
            var requests = new byte[requestSize * window];
            var input = new byte[BufferBytes];
            var sentAt = new long[window];
            var started = Stopwatch.GetTimestamp();
            Array.Fill(sentAt, started);
            Handshake.SendAll(socket, requests);
            int oldest = 0, inFlight = window, pending = 0;
            while (inFlight > 0)
            {
                var received = socket.Receive(input);
                if (received == 0) throw new IOException("the floor's peer process closed the connection");
                var now = Stopwatch.GetTimestamp();
                pending += received;
                var replies = pending / replySize;
                pending -= replies * replySize;
                var goesOn = Stopwatch.GetElapsedTime(started, now) < duration;
                for (var i = 0; i < replies; i++, oldest = (oldest + 1) % window)
                {
                    Latency.Record(now - sentAt[oldest]);
                    sentAt[oldest] = now;
                }

                if (goesOn) Handshake.SendAll(socket, requests.AsSpan(0, replies * requestSize));
                else inFlight -= replies;
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
