namespace Nacre.FilesystemBench.Measurement;

/// <summary>A cell of the table: what was measured of a row on a file system, round by round, or why nothing was.</summary>
internal sealed class Cell
{
    private readonly List<double> _values = [];
    private readonly List<double> _processor = [];
    private readonly List<double> _waits = [];

    public IReadOnlyList<double> Values => _values;

    /// <summary>Null when nothing was measured.</summary>
    public double? Median => Middle(_values);

    /// <summary>Processor time of servers and mounts, milliseconds a unit of work.</summary>
    public double? Processor => Middle(_processor);

    /// <summary>How often their threads went to sleep for a unit of work.</summary>
    public double? Waits => Middle(_waits);

    public void Add(Figure figure)
    {
        _values.Add(figure.Value);
        _processor.Add(figure.Processor);
        _waits.Add(figure.Waits);
    }

    private static double? Middle(List<double> values)
    {
        if (values.Count == 0) return null;
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>A row of the table.</summary>
internal sealed class Row(string name, Unit unit)
{
    private readonly Dictionary<string, Cell> _cells = [];

    public string Name => name;

    public Unit Unit => unit;

    public IReadOnlyDictionary<string, Cell> Cells => _cells;

    public double? Value(string fileSystem) => _cells.GetValueOrDefault(fileSystem)?.Median;

    /// <summary>How many times as fast one is as the other; null where one was not measured.</summary>
    public double? Ratio(string fileSystem, string other) =>
        Value(fileSystem) is { } value && Value(other) is { } reference ? unit.TimesAsFast(value, reference) : null;

    public void Add(string fileSystem, Figure figure)
    {
        if (!_cells.TryGetValue(fileSystem, out var cell)) _cells[fileSystem] = cell = new Cell();
        cell.Add(figure);
    }
}

/// <summary>What the run has found so far.</summary>
internal sealed class Results
{
    private readonly List<Row> _rows = [];
    private readonly List<string> _failures = [];

    public IReadOnlyList<Row> Rows => _rows;

    /// <summary>What went wrong, in the order it did, for the reader of the report.</summary>
    public IReadOnlyList<string> Failures => _failures;

    public void Add(string fileSystem, Figure figure)
    {
        var row = _rows.Find(row => row.Name == figure.Row);
        if (row is null) _rows.Add(row = new Row(figure.Row, figure.Unit));
        row.Add(fileSystem, figure);
    }

    public void Fail(string what) => _failures.Add(what);
}
