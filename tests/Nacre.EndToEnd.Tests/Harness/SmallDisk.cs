using System.Diagnostics;

namespace Nacre.EndToEnd.Harness;

/// <summary>A small ext4 file system in an image file, mounted by loop device. Needs root.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly TestFolder _folder = new();

    private SmallDisk()
    {
    }

    public string MountPoint => Path.Combine(_folder.Path, "mnt");

    private string Filler => Path.Combine(MountPoint, "filler");

    private string Image => Path.Combine(_folder.Path, "image");

    public long FreeBytes => new DriveInfo(MountPoint).AvailableFreeSpace;

    /// <summary>Null with the reason where nothing can be mounted.</summary>
    public static SmallDisk? TryMake(int mib, out string reason)
    {
        var disk = new SmallDisk();
        Directory.CreateDirectory(disk.MountPoint);
        using (var image = File.Create(disk.Image))
        {
            image.SetLength((long)mib << 20);
        }

        if (Run("mkfs.ext4", out reason, "-q", "-m", "0", "-F", disk.Image)
            && Run("mount", out reason, "-o", "loop", disk.Image, disk.MountPoint))
        {
            return disk;
        }

        disk._folder.Dispose();
        return null;
    }

    /// <summary>Another program takes every free byte.</summary>
    public void Fill()
    {
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[1 << 20];
        for (var length = block.Length; length >= 512; length /= 2)
        {
            try
            {
                while (true)
                {
                    file.Write(block, 0, length);
                    file.Flush(flushToDisk: true);
                }
            }
            catch (IOException)
            {
                // No room for this much.
            }
        }
    }

    public void Empty() => File.Delete(Filler);

    public void Dispose()
    {
        Run("umount", out _, MountPoint);
        _folder.Dispose();
    }

    /// <summary>Why no disk can be made here; null when one can.</summary>
    internal static string? WhyNot { get; } = FindOut();

    private static string? FindOut()
    {
        using var disk = TryMake(8, out var reason);
        return disk is null ? $"no file system can be mounted here: {reason.Trim()}" : null;
    }

    private static bool Run(string program, out string reason, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        try
        {
            using var process = Process.Start(start)!;
            reason = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            reason = e.Message;
            return false;
        }
    }
}
