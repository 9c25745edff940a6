using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>A lock to be asked for without an intent.</summary>
/// <param name="Owner">Told before the lock goes; null where nothing is cached under it.</param>
/// <param name="State">The owner's own, see <see cref="ClientLock.State"/>.</param>
public readonly record struct LockRequest(
    LdlmResId Resource, LockType Type, LockMode Mode, LdlmPolicy Policy, ILockOwner? Owner = null, object? State = null)
{
    /// <summary>Flags of <see cref="LdlmFlags.EnqueueMask"/>.</summary>
    public LdlmFlags Flags { get; init; }

    /// <summary>Name of the job the request belongs to.</summary>
    public string? JobId { get; init; }

    /// <summary>Takes a slot of a modifying request, as flocks do (03 section 8.1).</summary>
    public bool Modifies { get; init; }
}
