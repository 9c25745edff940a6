using System.Globalization;

namespace Nacre.Cli.Lfs;

/// <summary><c>lfs df</c>: space or inodes of each target, in the columns of Lustre 2.15.</summary>
internal static class Df
{
    private const int Total = 1, Free = 2, Available = 3, Files = 4, FreeFiles = 5;

    private static readonly Options Known = new("h:human-readable", "i:inodes", "v:verbose");

    public static void Run(IReadOnlyList<string> arguments, TextWriter output)
    {
        var (options, paths) = Known.Read(arguments);
        var isHuman = options.Exists(static option => option.Name == "h");
        var isInodes = options.Exists(static option => option.Name == "i");
        if (paths.Count == 0) paths = LustreFiles.AllMounts();
        if (paths.Count == 0) throw new LfsException("no Lustre file system is mounted by nacre");
        foreach (var path in paths)
        {
            var mountPoint = LustreFiles.MountOf(path).MountPoint;
            Write(output, mountPoint, LustreFiles.TargetsOf(mountPoint), isHuman, isInodes);
        }
    }

    /// <summary>The table, a blank line, the sum, a blank line.</summary>
    internal static void Write(TextWriter output, string mountPoint, IReadOnlyList<TargetLine> targets, bool isHuman, bool isInodes)
    {
        WriteHeader(output, isHuman, isInodes);
        foreach (var target in targets)
        {
            var where = $"{mountPoint}[{(target.IsMdt ? "MDT" : "OST")}:{target.Index}]";
            if (target.Numbers.Length == 0) output.Write($"{target.Uuid,-20}: inactive device\n");
            else WriteRow(output, target.Uuid, isInodes ? InodesOf(target) : SpaceOf(target), isHuman, isInodes, where);
        }

        output.Write('\n');
        WriteRow(output, "filesystem_summary:", isInodes ? SumOfInodes(targets) : SumOfSpace(targets), isHuman, isInodes, mountPoint);
        output.Write('\n');
    }

    private static void WriteHeader(TextWriter output, bool isHuman, bool isInodes)
    {
        var (first, used, free, ratio) = isInodes ? ("Inodes", "IUsed", "IFree", "IUse%") : (isHuman ? "bytes" : "1K-blocks", "Used", "Available", "Use%");
        output.Write($"{"UUID",-20} {first,11} {used,11} {free,11} {ratio,4} Mounted on\n");
    }

    private static void WriteRow(TextWriter output, string name, Row row, bool isHuman, bool isInodes, string where)
    {
        var percent = row.Total == 0 ? 0 : (int)((100.0 * row.Used / row.Total) + 0.5);
        output.Write($"{name,-20} {Text(row.Total)} {Text(row.Used)} {Text(row.Available)} {percent,3}% {where}\n");

        string Text(ulong amount) => isHuman ? $"{Human(isInodes ? amount : amount << 10),11}" : $"{amount,11}";
    }

    /// <summary>KiB.</summary>
    private static Row SpaceOf(TargetLine target)
    {
        var unit = target.Numbers[0] >> 10;
        return new Row(target.Numbers[Total] * unit, (target.Numbers[Total] - target.Numbers[Free]) * unit, target.Numbers[Available] * unit);
    }

    private static Row InodesOf(TargetLine target) =>
        new(target.Numbers[Files], target.Numbers[Files] - target.Numbers[FreeFiles], target.Numbers[FreeFiles]);

    private static Row SumOfSpace(IEnumerable<TargetLine> targets) =>
        targets.Where(static target => !target.IsMdt && target.Numbers.Length > 0).Select(SpaceOf)
            .Aggregate(default(Row), static (sum, one) => new Row(sum.Total + one.Total, sum.Used + one.Used, sum.Available + one.Available));

    /// <summary>Files are made on the MDTs, of which no more than the OSTs have objects for can be had.</summary>
    private static Row SumOfInodes(IReadOnlyList<TargetLine> targets)
    {
        Row files = default, objects = default;
        foreach (var target in targets.Where(static target => target.Numbers.Length > 0))
        {
            var one = InodesOf(target);
            ref var sum = ref target.IsMdt ? ref files : ref objects;
            sum = new Row(sum.Total + one.Total, sum.Used + one.Used, sum.Available + one.Available);
        }

        return objects.Total > 0 && objects.Available < files.Available
            ? new Row(files.Used + objects.Available, files.Used, objects.Available)
            : files;
    }

    private static string Human(ulong amount)
    {
        double shown = amount;
        var unit = 0;
        for (; shown >= 1024 && unit < 6; unit++) shown /= 1024;
        return unit == 0
            ? amount.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{shown:F1}{" KMGTPE"[unit]}");
    }

    private readonly record struct Row(ulong Total, ulong Used, ulong Available);
}
