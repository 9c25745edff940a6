namespace Nacre.PtlRpc.Wire;

/// <summary>
/// Error numbers as they travel in <c>pb_status</c> (negated): x86 Linux numbering whatever the host (02 section 3.4).
/// </summary>
public static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int E2BIG = 7;
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EFAULT = 14;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOTTY = 25;
    public const int ETXTBSY = 26;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int ESPIPE = 29;
    public const int EROFS = 30;
    public const int EMLINK = 31;
    public const int EPIPE = 32;
    public const int EDOM = 33;
    public const int ERANGE = 34;
    public const int EDEADLK = 35;
    public const int ENAMETOOLONG = 36;
    public const int ENOLCK = 37;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int ETIME = 62;
    public const int EREMOTE = 66;
    public const int EPROTO = 71;
    public const int EBADMSG = 74;
    public const int EOVERFLOW = 75;
    public const int EUSERS = 87;
    public const int EMSGSIZE = 90;
    public const int EOPNOTSUPP = 95;
    public const int ECONNABORTED = 103;
    public const int ENOTCONN = 107;
    public const int ESHUTDOWN = 108;
    public const int ETIMEDOUT = 110;
    public const int EALREADY = 114;
    public const int EINPROGRESS = 115;
    public const int ESTALE = 116;
    public const int EDQUOT = 122;
    public const int ECANCELED = 125;
    public const int ENOKEY = 126;
    public const int ERESTARTSYS = 512;
    public const int EBADHANDLE = 521;
    public const int ENOTSUPP = 524;

    /// <summary>The name for logs: <c>ENOENT</c>, or <c>errno 77</c> for a number that the protocol does not use.</summary>
    public static string Name(int errno) => Names.GetValueOrDefault(Math.Abs(errno)) ?? $"errno {Math.Abs(errno)}";

    private static readonly Dictionary<int, string> Names = typeof(Errno).GetFields()
        .Where(field => field.IsLiteral)
        .ToDictionary(field => (int)field.GetRawConstantValue()!, field => field.Name);
}

/// <summary>Positive results of lock requests in <c>pb_status</c> of an ordinary reply (02 section 3.4).</summary>
public static class LdlmStatus
{
    public const int LockMatched = 1;
    public const int LockChanged = 300;
    public const int LockAborted = 301;
    public const int LockReplaced = 302;
    public const int NoLockData = 303;
    public const int LockWouldBlock = 304;
    public const int NamespaceExists = 400;
    public const int BadNamespace = 401;
}
