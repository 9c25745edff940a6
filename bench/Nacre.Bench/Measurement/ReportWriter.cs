using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nacre.Bench.Loads;

namespace Nacre.Bench.Measurement;

/// <summary>The report as a Markdown table, one row as soon as it is known, and as JSON.</summary>
internal static class ReportWriter
{
    private const double Mib = 1 << 20;

    public const string TableHead =
        """
        | load | in flight | op/s | MiB/s | p50 µs | p99 µs | floor | of floor | target | server µs/op | client µs/op | floor µs/op |
        |---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|
        """;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Row(LoadReport report)
    {
        var byLatency = report.Concurrency == 1 && report.FloorP50 > 0;
        var isStream = report.FloorP50 == 0;
        var floor = byLatency ? Text($"{report.FloorP50:0.0} µs")
            : isStream ? Text($"{report.FloorBytesPerSecond / Mib:0} MiB/s")
            : Text($"{report.FloorRate:0}/s");
        var share = byLatency ? Text($"{report.LatencyOverFloor:0.00} x") : Text($"{report.ShareOfFloor:0.00}");
        var mibPerSecond = report.Size > 0 ? Text($"{report.BytesPerSecond / Mib:0}") : "";
        var row = new StringBuilder();
        row.Append(CultureInfo.InvariantCulture, $"| {report.Name} | {report.Concurrency} | {report.Rate:0} | {mibPerSecond} ");
        row.Append(CultureInfo.InvariantCulture, $"| {report.P50:0.0} | {report.P99:0.0} | {floor} | {share} | {TargetText(report)} ");
        row.Append(CultureInfo.InvariantCulture, $"| {report.ServerProcessor:0.0} | {report.ClientProcessor:0.0} ");
        row.Append(CultureInfo.InvariantCulture, $"| {report.FloorProcessor:0.0} |");
        return row.ToString();
    }

    /// <summary>The machine and the moment, for the line above the table.</summary>
    public static string Machine()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return Text($"{Environment.ProcessorCount} cores of {model?.Split(':')[1].Trim() ?? "unknown"}, ")
            + Text($"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC");
    }

    public static string ToJson(IReadOnlyList<LoadReport> reports, RunSettings settings) =>
        JsonSerializer.Serialize(new { Machine = Machine(), Settings = settings, Loads = reports }, Json);

    public static string ToMarkdown(IReadOnlyList<LoadReport> reports) =>
        string.Join('\n', [Machine(), "", TableHead, .. reports.Select(Row), ""]);

    private static string TargetText(LoadReport report)
    {
        if (report.Target is not { } target) return "";
        var wanted = target.Kind switch
        {
            TargetKind.Rate => Text($">= {target.Value:0}/s"),
            TargetKind.ShareOfFloor => Text($">= {target.Value:0.0}"),
            _ => Text($"<= {target.Value:0.0} x"),
        };
        return wanted + (report.TargetMet == true ? ", met" : ", **missed**");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
