using System.Runtime.InteropServices;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>The first request: version and abilities.</summary>
internal sealed partial class FuseSession
{
    private const uint Major = 7;

    /// <summary>Newest protocol known here, and the oldest with all that is relied upon (7.31: Linux 5.4).</summary>
    private const uint NewestMinor = 45, OldestMinor = 31;

    /// <summary>Background requests under way from which on the kernel reads nothing ahead.</summary>
    private const int CongestionThreshold = 48;

    private InitFlags _flags;

    /// <summary>
    /// What is asked for where the kernel offers it.
    /// <para>Not WRITEBACK_CACHE: the file system has a write-back cache itself, under locks; in the kernel's, dirty data
    /// and size would
    /// not be covered by one. Not AUTO_INVAL_DATA: pages are dropped when their lock is called back, not guessed from times;
    /// EXPLICIT_INVAL_DATA keeps them when the size changes. Not NO_OPEN or NO_OPENDIR: opens carry state to the server.
    /// DONT_MASK: whether the umask
    /// counts depends on the directory's default ACL, which the file system knows. HANDLE_KILLPRIV_V2: without it each write
    /// would ask for
    /// security.capability. DIRECT_IO_ALLOW_MMAP: files open for append bypass the page cache and may still be
    /// mapped.</para>
    /// </summary>
    private const InitFlags Wanted =
        InitFlags.AsyncRead | InitFlags.AtomicTruncate | InitFlags.ExportSupport | InitFlags.BigWrites | InitFlags.DontMask
        | InitFlags.ReadDirectoryPlus | InitFlags.ReadDirectoryPlusAuto | InitFlags.AsyncDirectIo | InitFlags.ParallelDirectoryOperations
        | InitFlags.PosixAcl | InitFlags.AbortError | InitFlags.MaxPages | InitFlags.CacheSymlinks | InitFlags.ExplicitInvalidateData
        | InitFlags.HandleKillPrivilegesV2 | InitFlags.SetXattrExtended | InitFlags.InitExtended | InitFlags.HasExpireOnly
        | InitFlags.DirectIoAllowMmap;

    private ValueTask Initialise(FuseRequest request)
    {
        var body = request.Body.Span;
        if (body.Length < InitRequest.OldSize || _initialised.Task.IsCompleted) return Refuse(request, Errno.EPROTO);
        Span<byte> padded = stackalloc byte[InitRequest.Size];
        padded.Clear();
        body[..Math.Min(body.Length, InitRequest.Size)].CopyTo(padded);
        var kernel = MemoryMarshal.Read<InitRequest>(padded);
        if (kernel.Major > Major)
        {
            // The kernel asks again in the version it is told.
            Reply(request, new InitReply { Major = Major, Minor = NewestMinor });
            return default;
        }

        if (kernel.Major < Major || kernel.Minor < OldestMinor)
        {
            _initialised.TrySetException(new FuseMountException(
                $"the kernel speaks FUSE {kernel.Major}.{kernel.Minor}; {Major}.{OldestMinor} (Linux 5.4) is needed"));
            return Refuse(request, Errno.EPROTO);
        }

        Reply(request, Agree(kernel));
        _initialised.TrySetResult();
        StartOtherReaders();
        return default;
    }

    private InitReply Agree(in InitRequest kernel)
    {
        bool extended = ((InitFlags)kernel.Flags).HasFlag(InitFlags.InitExtended);
        var offered = (InitFlags)(kernel.Flags | (extended ? (ulong)kernel.Flags2 << 32 : 0));
        var wanted = Wanted;
        // Asked for, locks come here even when they are only refused; not asked for, the kernel keeps them itself.
        if (_options.Locking != FileLocking.Local) wanted |= InitFlags.PosixLocks | InitFlags.FlockLocks;
        _flags = offered & wanted;
        Minor = Math.Min(kernel.Minor, NewestMinor);
        _cache.CanExpire = _flags.HasFlag(InitFlags.HasExpireOnly);
        Log.Initialised(_log, kernel.Minor, (ulong)offered, (ulong)_flags);
        return new InitReply
        {
            Major = Major,
            Minor = Minor,
            MaxReadAhead = (uint)_options.ReadAhead,
            Flags = (uint)_flags,
            Flags2 = (uint)((ulong)_flags >> 32),
            MaxBackground = (ushort)_options.MaxBackground,
            CongestionThreshold = (ushort)Math.Min(CongestionThreshold, _options.MaxBackground),
            MaxWrite = (uint)_options.MaxTransfer,
            MaxPages = (ushort)(_options.MaxTransfer / 4096),
            TimeGranularity = 1,
        };
    }
}
