using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt;

/// <summary>The largest layout handed out: clients reserve that much in their replies (05 section 2.4).</summary>
public sealed partial class MdtTarget
{
    /// <summary>What a 2.15 server of several OSTs starts with; holds the default layout with a few instantiated components.</summary>
    private const int FirstMaxMdSize = 736;

    private int _maxMdSize = FirstMaxMdSize;

    private void NoteLayoutSize(int bytes)
    {
        int seen = Volatile.Read(ref _maxMdSize);
        while (bytes > seen)
        {
            int before = Interlocked.CompareExchange(ref _maxMdSize, bytes, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    private void PutMaxMdSize(ref MdtBody body)
    {
        body.Valid |= ObdMd.FlModeAsize;
        body.MaxMdSize = (uint)Volatile.Read(ref _maxMdSize);
    }
}
