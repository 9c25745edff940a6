namespace Nacre.FilesystemBench.Measurement;

/// <summary>What a row counts. The name is shown; more is better but for seconds.</summary>
internal enum Unit
{
    MibPerSecond,
    OperationsPerSecond,
    Seconds,
}

/// <summary>Units as words, and which way is better.</summary>
internal static class Units
{
    public static string Text(this Unit unit) => unit switch
    {
        Unit.MibPerSecond => "MiB/s",
        Unit.OperationsPerSecond => "op/s",
        _ => "s",
    };

    /// <summary>How many times as fast as <paramref name="other"/>: above 1 is better whatever the unit.</summary>
    public static double TimesAsFast(this Unit unit, double value, double other) => unit == Unit.Seconds ? other / value : value / other;

    /// <summary>What the processor time and the waits of a row are divided by.</summary>
    public static string WorkText(this Unit unit) => unit switch
    {
        Unit.MibPerSecond => "MiB",
        Unit.OperationsPerSecond => "op",
        _ => "whole",
    };
}

/// <summary>How much a row did in how long.</summary>
/// <param name="Work">MiB or operations, after the unit; 1 for seconds.</param>
internal sealed record Amount(double Work, double Seconds);

/// <summary>One measurement of one row on one file system.</summary>
/// <param name="Row">The row's name.</param>
/// <param name="Processor">Milliseconds that servers and mounts used for a unit of work.</param>
/// <param name="Waits">How often their threads went to sleep for a unit of work.</param>
internal sealed record Figure(string Row, Unit Unit, double Value, double Processor, double Waits);
