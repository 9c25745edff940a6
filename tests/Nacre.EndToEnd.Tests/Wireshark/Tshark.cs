using System.Diagnostics;
using System.Text;
using Nacre.EndToEnd.Captures;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Wireshark;

/// <summary>Runs Wireshark's Lustre dissector, which is of the 2.10 era, over frames.</summary>
internal static class Tshark
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>What the dissector has to say against each frame; frames without a complaint are left out.</summary>
    public static async Task<Dictionary<int, string[]>> ComplaintsAsync(IReadOnlyList<Frame> frames)
    {
        var path = Path.Combine(Path.GetTempPath(), $"nacre-{Guid.NewGuid():n}.pcap");
        try
        {
            var endsFrame = PcapWriter.Write(path, frames);
            var complaints = new Dictionary<int, string[]>();
            foreach (var line in await RunAsync(path))
            {
                var columns = line.Split('\t');
                var frame = endsFrame[int.Parse(columns[0]) - 1];
                if (frame >= 0 && columns[1].Length > 0)
                {
                    complaints[frame] = columns[1].Split('|');
                }
            }

            return complaints;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<string[]> RunAsync(string path)
    {
        var start = new ProcessStartInfo("tshark")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var argument in (string[])[
            "-r", path, "-d", "tcp.port==988,lnet", "-o", "tcp.check_checksum:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
            "-Y", "_ws.expert", "-T", "fields", "-E", "aggregator=|", "-E", "separator=/t", "-e", "frame.number", "-e", "_ws.expert.message"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(Limit);
        var errors = process.StandardError.ReadToEndAsync(timeout.Token);
        var output = await process.StandardOutput.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.True(process.ExitCode == 0, $"tshark: {await errors}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
