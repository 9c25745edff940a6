using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>
/// The locks this client has of one target (03 section 19): caches granted ones, matches, counts references, answers callbacks, cancels. One per
/// import.
/// <para>
/// A lock is in the table from <see cref="Prepare"/> until it is gone, since callbacks about it may arrive before the reply that gives it.
/// It leaves the table before its cancel is sent and after its owner has flushed: a callback that comes later finds nothing to wait for and is
/// told so (EINVAL), which ends the lock at the server too.
/// </para>
/// </summary>
public sealed partial class ClientNamespace : ICallbackHandler, IAsyncDisposable
{
    private static readonly TimeSpan AgePeriod = TimeSpan.FromSeconds(30);

    /// <summary>Guards the table and everything in the locks. No owner is called and nothing is sent under it.</summary>
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, ClientLock> _byHandle = [];

    /// <summary>First lock of each resource; the others follow by <see cref="ClientLock.Next"/>.</summary>
    private readonly Dictionary<LdlmResId, ClientLock> _byResource = [];

    /// <summary>Granted locks without users, the longest unused first.</summary>
    private readonly LinkedList<ClientLock> _unused = new();
    private readonly ClientNamespaceOptions _options;
    private readonly ILogger _log;
    private readonly ITimer _ageTimer;
    private ulong _lastHandle;
    private bool _trimming;
    private bool _closed;

    public ClientNamespace(Import import, ClientNamespaceOptions options, ILogger log)
    {
        Import = import;
        _options = options;
        _log = log;
        _lastHandle = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) >> 1;
        _ageTimer = options.Time.CreateTimer(static space => ((ClientNamespace)space!).TrimInBackground(), this, AgePeriod, AgePeriod);
    }

    public Import Import { get; }

    /// <summary>Locks held or waited for.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byHandle.Count;
            }
        }
    }

    /// <summary>Locks held that nobody uses.</summary>
    public int UnusedCount
    {
        get
        {
            lock (_gate)
            {
                return _unused.Count;
            }
        }
    }

    /// <summary>
    /// A granted lock that covers what is asked for (a PW lock covers a PR, an extent a part, bits a subset) and is not leaving, with a reference
    /// more; null when there is none.
    /// </summary>
    public LockReference? TryMatch(in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy)
    {
        lock (_gate)
        {
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held is { Stage: LockStage.Granted, IsLeaving: false, IsAnnounced: true } && held.Covers(type, mode, policy))
                {
                    return Refer(held);
                }
            }

            return null;
        }
    }

    /// <summary>
    /// A further reference to a lock on a whole object that the caller has one of already, and which therefore is good although somebody may
    /// have called it back; null when it was lost.
    /// </summary>
    public LockReference? TryMatchHeld(in LdlmResId resource, LockMode mode)
    {
        lock (_gate)
        {
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held is { Stage: LockStage.Granted, Users: > 0 } && held.Covers(LockType.Extent, mode, LdlmPolicy.Extent(0, LdlmPolicy.EndOfFile)))
                {
                    return Refer(held);
                }
            }

            return null;
        }
    }

    /// <summary>
    /// A reference to the write lock a byte has become dirty under, somewhere above this client: also to one that was called back or is on its way out, until
    /// <see cref="CloseAsync"/>. So what is dirty is always written under that lock, and never waits for another. Null when no write lock covers the byte.
    /// </summary>
    public LockReference? TryMatchDirty(in LdlmResId resource, ulong at)
    {
        lock (_gate)
        {
            var byteAlone = LdlmPolicy.Extent(at, at);
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held is { Stage: LockStage.Granted or LockStage.Leaving, IsClosed: false, IsAnnounced: true }
                    && held.Covers(LockType.Extent, LockMode.PW, byteAlone))
                {
                    return Refer(held);
                }
            }

            return null;
        }
    }

    /// <summary>Ends <see cref="TryMatchDirty"/> for a lock on its way out, and waits for those who write under it. Called by its owner, once.</summary>
    public Task CloseAsync(ClientLock leaving)
    {
        lock (_gate)
        {
            leaving.IsClosed = true;
            if (leaving.Users == 0)
            {
                return Task.CompletedTask;
            }

            leaving.Drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return leaving.Drained.Task;
        }
    }

    /// <summary>
    /// The largest end (inclusive) of the granted extent locks of a resource: what the size this client knows may still rest on (06 section 7.3).
    /// Those on their way out count until they are given up, since what is dirty under them is not written yet. Null without such a lock.
    /// </summary>
    public ulong? FarthestEnd(in LdlmResId resource)
    {
        lock (_gate)
        {
            ulong? end = null;
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held is { Stage: LockStage.Granted or LockStage.Leaving, IsGivenUp: false, Type: LockType.Extent })
                {
                    end = Math.Max(end ?? 0, held.Policy.End);
                }
            }

            return end;
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closed = true;
        }

        await _ageTimer.DisposeAsync().ConfigureAwait(false);
        LoseAll(Errno.ESHUTDOWN);
    }

    internal void Release(ClientLock held)
    {
        var reason = LockLoss.BlockingCallback;
        var trim = false;
        lock (_gate)
        {
            if (--held.Users > 0)
            {
                return;
            }

            if (held.Stage != LockStage.Granted)
            {
                held.Drained?.TrySetResult();
                return;
            }

            if (!held.IsLeaving)
            {
                trim = Park(held);
                held = null!;
            }
            else
            {
                held.Stage = LockStage.Leaving;
            }
        }

        if (held is not null)
        {
            _ = GiveUpInBackgroundAsync(held, reason);
        }
        else if (trim)
        {
            TrimInBackground();
        }
    }

    /// <summary>A lock without users waits for the next one; true when there are too many of them. Called under the gate.</summary>
    private bool Park(ClientLock held)
    {
        held.UnusedSince = _options.Time.GetTimestamp();
        if (held.Type == LockType.Flock)
        {
            // The server keeps ranges, not locks: nothing refers to this one any more (03 section 15.2).
            Remove(held);
            return false;
        }

        if (held.IsAgeless)
        {
            return false;
        }

        held.Unused ??= new LinkedListNode<ClientLock>(held);
        _unused.AddLast(held.Unused);
        return _unused.Count > _options.MaxUnused;
    }

    private ClientLock? FirstOf(in LdlmResId resource) => _byResource.GetValueOrDefault(resource);

    private LockReference Refer(ClientLock held)
    {
        held.Users++;
        Unpark(held);
        return new LockReference(held);
    }

    private void Unpark(ClientLock held)
    {
        if (held.Unused?.List is not null)
        {
            _unused.Remove(held.Unused);
        }
    }

    private void Insert(ClientLock made)
    {
        _byHandle.Add(made.Handle, made);
        Link(made);
    }

    private void Link(ClientLock made)
    {
        ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(_byResource, made.Resource, out _);
        made.Next = first;
        first = made;
    }

    private void Unlink(ClientLock held)
    {
        var first = _byResource[held.Resource];
        if (first == held)
        {
            if (held.Next is null)
            {
                _byResource.Remove(held.Resource);
            }
            else
            {
                _byResource[held.Resource] = held.Next;
            }
        }
        else
        {
            var before = first;
            while (before.Next != held)
            {
                before = before.Next!;
            }

            before.Next = held.Next;
        }

        held.Next = null;
    }

    /// <summary>Takes a lock out of the table. Called under the gate.</summary>
    private void Remove(ClientLock held)
    {
        if (held.Stage == LockStage.Gone)
        {
            return;
        }

        held.Stage = LockStage.Gone;
        held.IsLeaving = true;
        Unpark(held);
        _byHandle.Remove(held.Handle);
        Unlink(held);
    }

    [LoggerMessage(3020, LogLevel.Warning, "{Target}: giving up {Lock} failed")]
    private static partial void LogGiveUpFailed(ILogger log, Exception failure, Import target, ClientLock @lock);

    [LoggerMessage(3021, LogLevel.Debug, "{Target}: a cancel was not answered: {Why}")]
    private static partial void LogCancelFailed(ILogger log, Import target, string why);
}
