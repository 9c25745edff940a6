using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Where the log of data repository events goes.</summary>
internal static class LogRules
{
    private const string RequiredGroupPrefix = "/aws/fsx";
    private const string DefaultGroup = "/aws/fsx/lustre";

    public static IEnumerable<Rule<T>> Of<T>(Func<T, (LogConfiguration? Log, string Account, ControlPlaneSettings Settings)> of) =>
    [
        new(
            o => of(o).Log is { Level: LogLevels.Disabled, Destination: not null },
            o => $"LogConfiguration Destination {of(o).Log!.Destination} cannot be set with Level DISABLED."),
        new(
            o => of(o) is ({ Destination: { } destination }, var account, var settings)
                && !destination.StartsWith(GroupArn(settings, account, RequiredGroupPrefix), StringComparison.Ordinal),
            o => $"LogConfiguration Destination {of(o).Log!.Destination} is not allowed. "
                + "It must be a log group of this account and region whose "
                + $"name begins with {RequiredGroupPrefix}: {GroupArn(of(o).Settings, of(o).Account, RequiredGroupPrefix)}..."),
    ];

    /// <summary>As the service answers it: the destination is the ARN of the stream of the file system.</summary>
    public static LogConfiguration Answered(LogConfiguration? log, string fileSystemId, string account, ControlPlaneSettings settings)
    {
        if (log is null or { Level: LogLevels.Disabled })
        {
            return new LogConfiguration { Level = LogLevels.Disabled };
        }
        string group = log.Destination is { } given ? GroupOf(given) : GroupArn(settings, account, DefaultGroup);
        return log with { Destination = $"{group}:log-stream:datarepo_{fileSystemId}" };
    }

    private static string GroupOf(string destination)
    {
        int stream = destination.IndexOf(":log-stream:", StringComparison.Ordinal);
        string group = stream < 0 ? destination : destination[..stream];
        return group.EndsWith(":*", StringComparison.Ordinal) ? group[..^2] : group;
    }

    private static string GroupArn(ControlPlaneSettings settings, string account, string group) =>
        $"arn:{settings.Partition}:logs:{settings.Region}:{account}:log-group:{group}";
}
