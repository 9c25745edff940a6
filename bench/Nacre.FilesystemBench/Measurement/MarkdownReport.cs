using System.Globalization;
using System.Text;

namespace Nacre.FilesystemBench.Measurement;

/// <summary>The report for people: the table of figures, that of processor times, and what is to be said about both.</summary>
/// <param name="columns">File systems that were measured, in the order of their columns.</param>
/// <param name="peers">Those that Nacre is to be ahead of.</param>
/// <param name="header">Lines above the tables: machine, settings, versions.</param>
internal sealed class MarkdownReport(IReadOnlyList<string> columns, IReadOnlyList<string> peers, IReadOnlyList<string> header, Results results)
{
    private const string Nacre = "nacre";

    /// <summary>What Nacre is compared with, beside the best peer.</summary>
    private readonly List<string> _references = [.. columns.Where(column => column != Nacre && !peers.Contains(column))];

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var line in header) text.Append("* ").AppendLine(line);
        text.AppendLine();
        AppendFigures(text);
        text.AppendLine().AppendLine("Processor time of servers and mounts, milliseconds, without what the kernel does in the callers' calls:").AppendLine();
        AppendUsage(text, static cell => cell.Processor);
        text.AppendLine().AppendLine("How often threads of servers and mounts went to sleep:").AppendLine();
        AppendUsage(text, static cell => cell.Waits);
        AppendNotes(text);
        return text.ToString();
    }

    private void AppendFigures(StringBuilder text)
    {
        var compares = columns.Contains(Nacre);
        List<string> head = ["row", "unit", .. columns];
        if (compares) head.AddRange([.. _references.Select(reference => "of " + reference), "of the best peer", "target"]);
        AppendHead(text, head, firstNumber: 2);
        foreach (var row in results.Rows)
        {
            List<string> cells = [$"`{row.Name}`", row.Unit.Text(), .. columns.Select(column => Number(row.Value(column)))];
            if (compares) cells.AddRange([.. _references.Select(reference => Number(row.Ratio(Nacre, reference))), BestPeerText(row), TargetText(row)]);
            AppendRow(text, cells);
        }
    }

    private void AppendUsage(StringBuilder text, Func<Cell, double?> value)
    {
        var measured = columns.Where(column => results.Rows.Any(row => Of(row, column) > 0)).ToList();
        AppendHead(text, ["row", "per", .. measured], firstNumber: 2);
        foreach (var row in results.Rows)
        {
            AppendRow(text, [$"`{row.Name}`", row.Unit.WorkText(), .. measured.Select(column => Number(Of(row, column)))]);
        }

        double? Of(Row row, string column) => row.Cells.TryGetValue(column, out var cell) ? value(cell) : null;
    }

    private void AppendNotes(StringBuilder text)
    {
        var behind = results.Rows.Where(row => BestPeer(row) is { } peer && row.Ratio(Nacre, peer) < 1).Select(row => $"`{row.Name}`").ToList();
        if (columns.Contains(Nacre) && peers.Any(columns.Contains))
        {
            text.AppendLine().AppendLine(behind.Count == 0 ? "No row is behind a peer." : "Behind a peer: " + string.Join(", ", behind) + ".");
        }

        if (results.Failures.Count == 0) return;
        text.AppendLine().AppendLine("Not measured, or not to the end:").AppendLine();
        foreach (var failure in results.Failures) text.Append("* ").AppendLine(failure);
    }

    /// <summary>The fastest of the peers; null when none was measured.</summary>
    private string? BestPeer(Row row) => peers
        .Where(peer => row.Value(peer) is not null)
        .OrderByDescending(peer => row.Unit.TimesAsFast(row.Value(peer)!.Value, 1))
        .FirstOrDefault();

    private string BestPeerText(Row row)
    {
        if (BestPeer(row) is not { } peer || row.Ratio(Nacre, peer) is not { } ratio) return "";
        var number = Number(ratio);
        return ratio < 1 ? $"**{number}** ({peer})" : $"{number} ({peer})";
    }

    private static string TargetText(Row row)
    {
        if (Target.All.FirstOrDefault(target => target.Row == row.Name) is not { } target) return "";
        var text = ">= " + Number(target.Least) + (target.Of is { } of ? " of " + of : "");
        return target.Reached(row) is { } reached ? text + (reached >= target.Least ? ", met" : ", **missed**") : text;
    }

    private static void AppendHead(StringBuilder text, List<string> names, int firstNumber)
    {
        AppendRow(text, names);
        AppendRow(text, [.. names.Select((name, i) => i < firstNumber || name is "target" ? "---" : "---:")]);
    }

    private static void AppendRow(StringBuilder text, List<string> cells) => text.Append("| ").AppendJoin(" | ", cells).AppendLine(" |");

    private static string Number(double? value) => value switch
    {
        null => "",
        >= 100 => value.Value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("F1", CultureInfo.InvariantCulture),
        >= 0.1 or 0 => value.Value.ToString("F2", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("G2", CultureInfo.InvariantCulture),
    };
}
