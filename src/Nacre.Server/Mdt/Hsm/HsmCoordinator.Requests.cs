using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>What users ask for: MDS_HSM_REQUEST (07 sections 4.4 and 5.6).</summary>
internal sealed partial class HsmCoordinator
{
    /// <summary>Restores whose request is being worked on: a second one for the same file waits for the first to be queued, not for its layout.</summary>
    private readonly Dictionary<LuFid, Task> _restoring = [];

    /// <summary>What one user wants to be done, with what each of its files is asked for.</summary>
    public readonly record struct Wish(MdtCredentials Who, HsmUserAction Action, uint ArchiveId, HsmRequestFlags Flags, byte[] Data);

    /// <summary>
    /// Queues the action for each file, in order; the first that is refused ends the call, those before it stay queued. Complete when
    /// everything is committed. ENOENT, EPERM, EAGAIN (too many queued), E2BIG, ENOSPC.
    /// </summary>
    public async ValueTask QueueAsync(Wish wish, IReadOnlyList<LuFid> files, CancellationToken cancellationToken)
    {
        if (HsmMessage.HeadSize(fileSystem) + HsmActionItem.Size + wish.Data.Length + sizeof(ulong) > HsmMessage.MaxBytes)
            throw new FsException(Errno.E2BIG);
        var queued = new List<HsmAction>();
        ulong transaction = 0;
        try
        {
            foreach (var file in files)
            {
                if (!_queue.HasRoom(1))
                    throw new FsException(Errno.EAGAIN);
                transaction = Math.Max(transaction, wish.Action switch
                {
                    HsmUserAction.Cancel => await CancelAsync(wish.Who, file).ConfigureAwait(false),
                    HsmUserAction.Restore => await QueueRestoreAsync(wish, file, queued, cancellationToken).ConfigureAwait(false),
                    _ => Queue(wish, file, null, queued),
                });
            }
        }
        finally
        {
            await SettleAsync(queued, transaction).ConfigureAwait(false);
        }
    }

    /// <summary>Lets copytools have what is queued once it is committed, or forgets it.</summary>
    private async ValueTask SettleAsync(List<HsmAction> queued, ulong transaction)
    {
        try
        {
            await Store.WhenCommitted(transaction).ConfigureAwait(false);
            queued.ForEach(_queue.LetWait);
        }
        catch (FsException)
        {
            queued.ForEach(Forget);
            throw;
        }
        if (queued.Count > 0)
            Wake();
    }

    /// <summary>Queues one action; 0 when there is nothing to do.</summary>
    private ulong Queue(in Wish wish, LuFid file, ServerLock? layout, List<HsmAction> queued)
    {
        lock (Store.Gate)
        {
            if (!IsWanted(wish, file, out uint archive))
                return 0;
            var (entry, transaction) = Files.QueueHsm(wish.Action, file, archive, wish.Flags, wish.Data);
            var action = new HsmAction(entry, layout);
            _queue.Add(action);
            queued.Add(action);
            return transaction;
        }
    }

    /// <summary>Checks one file, under the gate. False when the action is queued already, or not needed.</summary>
    private bool IsWanted(in Wish wish, LuFid file, out uint archive)
    {
        archive = wish.ArchiveId;
        if (!Files.TryGetAttr(file, out var found))
        {
            // What a removed file left in the archive can still be taken away.
            bool removal = wish.Action == HsmUserAction.Remove && wish.Who.Has(Capabilities.SysAdmin);
            return removal ? !_queue.Has(file, wish.Action) : throw new FsException(Errno.ENOENT);
        }
        if (!found.Attributes.IsRegular)
            throw new FsException(Errno.EINVAL);
        if (!HsmRules.MayAsk(wish.Who, wish.Action))
            throw new FsException(Errno.EPERM);
        var state = Files.HsmStateOf(file);
        if ((wish.Flags & HsmRequestFlags.ForceAction) == 0 && !HsmRules.IsNeeded(wish.Action, state.States))
            return false;
        if (!HsmRules.IsCompatible(wish.Action, state, wish.ArchiveId))
            throw new FsException(Errno.EPERM);
        archive = ArchiveFor(wish, state);
        return !_queue.Has(file, wish.Action);
    }

    /// <summary>
    /// A restore comes from where the file was archived, whatever is asked for: everybody may ask for one, and it holds up all who read the file for
    /// as long as no copytool serves the archive.
    /// </summary>
    private static uint ArchiveFor(in Wish wish, in HsmAttrs state)
    {
        bool mayChoose = wish.Action != HsmUserAction.Restore || state.ArchiveId == 0;
        if (mayChoose && wish.ArchiveId != 0)
            return wish.ArchiveId;
        return state.ArchiveId != 0 ? (uint)state.ArchiveId : MdtFileSystem.DefaultArchive;
    }

    /// <summary>
    /// A restore. It has the layout before it is answered, so that whoever asks for the layout from then on waits (07 section 4.4).
    /// </summary>
    private async ValueTask<ulong> QueueRestoreAsync(Wish wish, LuFid file, List<HsmAction> queued, CancellationToken cancellationToken)
    {
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        while (true)
        {
            Task? other = null;
            lock (Store.Gate)
            {
                if (!IsWanted(wish, file, out _))
                    return Store.PendingTransaction;
                if (!_restoring.TryGetValue(file, out other))
                    _restoring.Add(file, mine.Task);
            }
            if (other is null)
                break;
            await other.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        ServerLock? layout = null;
        int before = queued.Count;
        try
        {
            layout = await locks.LockAsync(LdlmResId.OfFid(file), LockMode.EX, InodeBits.Layout, cancellationToken).ConfigureAwait(false);
            return Queue(wish, file, layout, queued);
        }
        finally
        {
            if (queued.Count == before)
                layout?.Dispose();
            lock (Store.Gate)
                _restoring.Remove(file);
            mine.SetResult();
        }
    }

    /// <summary>
    /// Cancels what is queued or running for a file. Who waits for a restore goes on at once, without the data; a copytool is told, and told again
    /// when it reports.
    /// </summary>
    private async ValueTask<ulong> CancelAsync(MdtCredentials who, LuFid file)
    {
        if (!HsmRules.MayAsk(who, HsmUserAction.Cancel))
            throw new FsException(Errno.EPERM);
        ulong transaction = 0;
        foreach (var action in _queue.ActiveOn(file))
        {
            if (_queue.TryCancelRunning(action, out var agent))
            {
                // It stays listed until its copytool reports: that is how it hears of it.
                lock (Store.Gate)
                    transaction = Files.EndHsm(action.Cookie);
                action.ReleaseLayout();
                await TellAsync(agent, HsmMessage.Encode(fileSystem, [action], HsmCopytoolAction.Cancel)).ConfigureAwait(false);
            }
            else if (_queue.TryBeginEnd(action, out _))
            {
                await EndUnchangedAsync(action, inStore: true).ConfigureAwait(false);
            }
        }
        return transaction;
    }
}
