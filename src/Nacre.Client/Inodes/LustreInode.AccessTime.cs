using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>When programs of this client read the object.</summary>
internal sealed partial class LustreInode
{
    /// <summary>Seconds by which a close has to be later for a server to take over its time of access, unless it is configured otherwise.</summary>
    private const long ServerGrain = 60;

    private long _accessTime;

    /// <summary>
    /// When a program of this client last read it, in seconds since 1970, 0 when none has. Shown where it is later than the servers' time, which learn it
    /// with a close and keep it only when theirs is some time older (05 section 8.2).
    /// </summary>
    public long AccessTime => Volatile.Read(ref _accessTime);

    public void NoteAccess(long seconds) => Volatile.Write(ref _accessTime, seconds);

    /// <summary>Somebody has set the time of the last access: what was read before counts no more.</summary>
    public void ForgetAccess() => Volatile.Write(ref _accessTime, 0);

    /// <summary>A close has told the server of reads until then; from now on its time is the one that counts.</summary>
    public void AccessTold(long seconds)
    {
        lock (_gate)
        {
            if (AccessTime != 0 && seconds >= AccessTime && seconds > _body.Atime + ServerGrain)
            {
                _body.Atime = seconds;
                ForgetAccess();
            }
        }
    }

    /// <summary>
    /// A server's time that moved after the last read here was set by another client, to the past perhaps, and counts. One that did not move has not
    /// been told of that read.
    /// </summary>
    private void LearnAccess(in MdtBody old, in MdtBody now)
    {
        if (now.Atime != old.Atime && now.Ctime >= AccessTime)
        {
            ForgetAccess();
        }
    }
}
