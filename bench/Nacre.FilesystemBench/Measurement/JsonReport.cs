using System.Text.Json;

namespace Nacre.FilesystemBench.Measurement;

/// <summary>The report for programs: every single value.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static string Make(IReadOnlyList<string> header, Settings settings, Results results) => JsonSerializer.Serialize(
        new
        {
            Header = header,
            Settings = settings,
            Rows = results.Rows.Select(static row => new
            {
                row.Name,
                Unit = row.Unit.Text(),
                Per = row.Unit.WorkText(),
                FileSystems = row.Cells.ToDictionary(
                    static cell => cell.Key, static cell => new { cell.Value.Median, cell.Value.Values, ProcessorMilliseconds = cell.Value.Processor, cell.Value.Waits }),
            }),
            results.Failures,
        },
        Options);
}
