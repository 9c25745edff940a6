using System.Buffers.Binary;
using System.Diagnostics;

namespace Nacre.Cli.Demo;

/// <summary>
/// Uses the mounted file system as any program would, by plain system calls, and says what happened. They block and the file system is served by this very
/// process, so they run on a thread of their own.
/// </summary>
internal sealed class DemoTour(string mount)
{
    private const int BlockBytes = 1 << 20;
    private const int Blocks = 64;
    private const int SmallFiles = 200;

    private const string Welcome =
        """
        This folder is a Lustre file system. Its servers (MGS, MDT, OSTs) and its client are one
        process, the demo; between the two the genuine Lustre protocol is spoken over TCP.

        big.bin      64 MiB on one OST: from 100 MiB on a file goes over more of them
        small/       200 small files
        """;

    /// <exception cref="DemoException">What was read is not what was written.</exception>
    public Task RunAsync(CancellationToken cancellationToken) => Task.Factory.StartNew(
        () => Run(cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken cancellationToken)
    {
        File.WriteAllText(Path.Combine(mount, "README.txt"), Welcome);
        var block = new byte[BlockBytes];
        new Random(1).NextBytes(block);
        Time($"wrote big.bin, {Blocks} MiB, to the disk", Blocks, "MiB", () => Write(block, cancellationToken));
        Time("read it back, byte for byte the same", Blocks, "MiB", () => Read(block, cancellationToken));
        Time($"made {SmallFiles} small files", SmallFiles, "files", () => MakeFiles(cancellationToken));
    }

    private static void Time(string what, int amount, string unit, Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"  {what,-40} {amount / Math.Max(seconds, 1e-6),8:F0} {unit}/s");
    }

    private void Write(byte[] block, CancellationToken cancellationToken)
    {
        using var file = new FileStream(Path.Combine(mount, "big.bin"), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var i = 0; i < Blocks; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            BinaryPrimitives.WriteInt32LittleEndian(block, i);
            file.Write(block);
        }

        file.Flush(flushToDisk: true);
    }

    private void Read(byte[] expected, CancellationToken cancellationToken)
    {
        using var file = new FileStream(Path.Combine(mount, "big.bin"), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var block = new byte[BlockBytes];
        for (var i = 0; i < Blocks; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            BinaryPrimitives.WriteInt32LittleEndian(expected, i);
            file.ReadExactly(block);
            if (!block.AsSpan().SequenceEqual(expected))
            {
                throw new DemoException($"big.bin: block {i} is not what was written. This must not happen; please report it with {mount}.data/demo.log");
            }
        }
    }

    private void MakeFiles(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(mount, "small")).FullName;
        for (var i = 0; i < SmallFiles; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            File.WriteAllText(Path.Combine(folder, $"file{i:D3}"), $"file number {i}\n");
        }
    }
}
