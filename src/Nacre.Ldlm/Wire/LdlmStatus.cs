namespace Nacre.Ldlm.Wire;

/// <summary>Status codes of lock replies that are no errno. Protocol reference 03 section 8.3.</summary>
public static class LdlmStatus
{
    /// <summary>Enqueue reply: intent done or glimpse answered, no lock returned.</summary>
    public const int LockAborted = 301;

    /// <summary>Convert reply: lock unknown. Negated in a GL callback reply: lock held, but no object behind it.</summary>
    public const int NoLockData = 303;

    /// <summary>Cancel reply: none of the handles was known. Positive, unlike every errno on the wire.</summary>
    public const int CancelStale = 116;
}
