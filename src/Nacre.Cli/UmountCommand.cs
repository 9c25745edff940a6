using System.CommandLine;
using Nacre.Cli.Mount;
using Nacre.Fuse;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli;

/// <summary><c>nacre umount</c>: unmounts, and waits until everything is written back and the process that served the mount is gone.</summary>
internal static class UmountCommand
{
    private const int Failed = 1;

    /// <summary>Longer than a mount process waits for its servers.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Where it is mounted." };
        var lazy = new Option<bool>("--lazy", "-l") { Description = "Detach it now; it goes when its last user has." };
        var force = new Option<bool>("--force", "-f")
        {
            Description = "Let everything that waits in it fail at once, and detach it. What is not written back is lost.",
        };
        var command = new Command("umount", "Unmount a file system.") { folder, lazy, force };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetRequiredValue(folder), parsed.GetValue(lazy), parsed.GetValue(force), ct));
        return command;
    }

    private static async Task<int> RunAsync(string folder, bool lazy, bool force, CancellationToken ct)
    {
        string? device = MountTable.Find(folder)?.Device;
        try
        {
            // Nobody can write anything back any more, so there is nothing to be gentle about.
            if (device is not null && (force || MountRecord.HasEnded(device))) FuseMount.CutOff(Path.GetFullPath(folder), device);
            else FuseMount.Unmount(Path.GetFullPath(folder), lazy);
        }
        catch (FuseMountException e)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Failed;
        }

        return lazy || force || device is null || await EndsAsync(device, ct) ? 0 : Failed;
    }

    private static async Task<bool> EndsAsync(string device, CancellationToken ct)
    {
        using var process = MountRecord.Find(device);
        if (process is null) return true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"nacre: unmounted, but process {process.Id} is still writing back");
            return false;
        }
    }
}
