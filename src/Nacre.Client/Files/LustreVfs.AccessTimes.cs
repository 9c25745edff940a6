namespace Nacre.Client.Files;

/// <summary>
/// The time of the last access of regular files, as mount(8) describes it for <c>relatime</c> and its kin. A read that the kernel above serves from its
/// pages is never seen here; so the close of a file that is open for reading alone counts as one.
/// </summary>
internal sealed partial class LustreVfs
{
    private const long SecondsOfDay = 24 * 60 * 60;

    /// <summary>Cheap when there is nothing to note; once an open and close.</summary>
    private void NoteRead(OpenFile open)
    {
        if (!open.HasNotedRead)
        {
            open.HasNotedRead = true;
            TryNoteAccess(open);
        }
    }

    /// <summary>The kernel does not know that its attributes are out of date when it has read nothing from here.</summary>
    private async ValueTask NoteCloseAsync(OpenFile open)
    {
        open.HasNotedRead = false;
        if ((open.Flags & OpenFlags.AccessMode) == OpenFlags.ReadOnly && TryNoteAccess(open) && _inodes.KernelCache is { } kernel)
        {
            await kernel.DropAttributesAsync(open.Inode).ConfigureAwait(false);
        }
    }

    private bool TryNoteAccess(OpenFile open)
    {
        if (_options.AccessTimes == AccessTimes.Never || _options.ReadOnly || (open.Flags & OpenFlags.NoAccessTime) != 0)
        {
            return false;
        }

        open.Inode.TryGetBody(out var body);
        open.Data.TryGetKnownAttributes(out var known);
        var now = Now;
        if (_options.AccessTimes == AccessTimes.Relative && !IsDue(Show(open.Inode, body, known), now))
        {
            return false;
        }

        open.Inode.NoteAccess(now);
        return true;
    }

    private static bool IsDue(in Vfs.Attributes shown, long now)
    {
        var last = shown.AccessTime.Seconds;
        return last <= shown.ModifyTime.Seconds || last <= shown.ChangeTime.Seconds || now - last >= SecondsOfDay;
    }
}
