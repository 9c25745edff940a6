using System.Globalization;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;
using Spectre.Console;

namespace Nacre.Cli.Fs;

/// <summary>
/// Waits until what was asked for is done, and shows how far it is: a spinner on a terminal, a line a change elsewhere. On standard error, so that the
/// output proper stays clean.
/// </summary>
internal sealed class Waiting(FsxClient client, TimeSpan interval)
{
    /// <summary>Until the file system can be used.</summary>
    /// <exception cref="FsxException">It failed.</exception>
    public async Task<FileSystem> UntilAvailableAsync(string id, CancellationToken ct)
    {
        var last = await UntilAsync(id, one => one.Lifecycle != FileSystemLifecycle.Creating, ct);
        return last is { Lifecycle: FileSystemLifecycle.Failed }
            ? throw new FsxException(null, $"{id} could not be made: {last.FailureDetails?.Message}")
            : last ?? throw new FsxException(null, $"{id} was deleted meanwhile");
    }

    /// <summary>Until no change is under way that the file system's users could notice; what is optimized in the background is not waited for.</summary>
    /// <exception cref="FsxException">The newest change failed.</exception>
    public async Task<FileSystem> UntilUpdatedAsync(string id, CancellationToken ct)
    {
        var last = await UntilAsync(id, one => Newest(one)?.Status is not (ActionStatus.Pending or ActionStatus.InProgress), ct)
            ?? throw new FsxException(null, $"{id} was deleted meanwhile");
        return Newest(last) is { Status: ActionStatus.Failed } failed
            ? throw new FsxException(null, $"{id} could not be changed: {failed.FailureDetails?.Message}")
            : last;
    }

    public async Task UntilGoneAsync(string id, CancellationToken ct)
    {
        if (await UntilAsync(id, one => one.Lifecycle == FileSystemLifecycle.Failed, ct) is { } left)
        {
            throw new FsxException(null, $"{id} could not be deleted: {left.FailureDetails?.Message}");
        }
    }

    private static AdministrativeAction? Newest(FileSystem one) =>
        one.AdministrativeActions?.FirstOrDefault(action => action.AdministrativeActionType == ActionType.FileSystemUpdate);

    /// <returns>The file system as it is then; null when it is gone.</returns>
    private Task<FileSystem?> UntilAsync(string id, Func<FileSystem, bool> isDone, CancellationToken ct)
    {
        if (Console.IsErrorRedirected)
        {
            return PollAsync(id, isDone, Console.Error.WriteLine, ct);
        }

        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return terminal.Status().StartAsync(
            Markup.Escape(id), status => PollAsync(id, isDone, text => status.Status = Markup.Escape(text), ct));
    }

    private async Task<FileSystem?> PollAsync(string id, Func<FileSystem, bool> isDone, Action<string> show, CancellationToken ct)
    {
        var shown = "";
        while (true)
        {
            var present = await FindAsync(id, ct);
            var text = present is null ? $"{id} is gone" : Describe(present);
            if (text != shown)
            {
                show(shown = text);
            }

            if (present is null || isDone(present))
            {
                return present;
            }

            await Task.Delay(interval, ct);
        }
    }

    private async Task<FileSystem?> FindAsync(string id, CancellationToken ct)
    {
        try
        {
            return await client.DescribeAsync(id, ct);
        }
        catch (FsxException e) when (e.Code == "FileSystemNotFound")
        {
            return null;
        }
    }

    private static string Describe(FileSystem one)
    {
        var action = Newest(one);
        var optimization = one.AdministrativeActions?.FirstOrDefault(candidate => candidate.ProgressPercent is not null);
        var progress = optimization is null ? "" : $", optimizing {optimization.ProgressPercent?.ToString(CultureInfo.InvariantCulture)} %";
        return $"{one.FileSystemId} {one.Lifecycle}{(action is null ? "" : $", {FsOutput.Describe(action)}")}{progress}";
    }
}
