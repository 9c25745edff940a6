using Microsoft.Extensions.Logging;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>
/// The coordinator (07 section 5): gives queued actions to the copytools that clients have registered. What copytools report of them
/// is in HsmCoordinator.Reports.cs, what users ask for in HsmCoordinator.Requests.cs.
/// </summary>
/// <remarks>
/// A restore holds EX LAYOUT on its file from before its request is answered until it has ended: that is what readers wait for. The queue is in
/// the store, so a killed server goes on with it: everything that had not ended begins again.
/// </remarks>
internal sealed partial class HsmCoordinator(
    MdtFileSystem fs, LdlmNamespace locks, string fileSystem, HsmOptions options, TimeProvider time, ILogger log)
    : QueueWorker(fs, time, log)
{
    /// <summary>Actions handed out between two looks at the queue.</summary>
    private const int Batch = 256;

    private readonly HsmQueue _queue = new(options, time);
    private readonly LogRateLimit _lostLines = new(time);
    private ITimer? _tick;

    /// <summary>Takes up what an earlier run has left. To be called before the first client can ask for anything.</summary>
    public void Load()
    {
        lock (Store.Gate)
        {
            foreach (var queued in Files.QueuedHsmActions())
            {
                bool isRestore = queued.Action == HsmUserAction.Restore;
                // Nobody has a lock yet: it is free.
                var held = isRestore ? locks.TryLock(LdlmResId.OfFid(queued.Fid), LockMode.EX, InodeBits.Layout) : null;
                var action = new HsmAction(queued, held);
                _queue.Add(action);
                _queue.LetWait(action);
            }
        }
        if (_queue.Count > 0)
            LogTakenUp(Log, _queue.Count);
        _tick = Time.CreateTimer(static worker => ((HsmCoordinator)worker!).Wake(), this, options.LoopPeriod, options.LoopPeriod);
    }

    public override void Dispose()
    {
        _tick?.Dispose();
        base.Dispose();
    }

    /// <summary>Whether a restore of the file is queued or running: <c>t_state</c> (07 section 6.1).</summary>
    public bool IsRestoring(LuFid file) => _queue.Has(file, HsmUserAction.Restore);

    /// <summary>What is done with the file now (07 section 4.3).</summary>
    public HsmCurrentAction CurrentAction(LuFid file) =>
        _queue.NewestOf(file) is { } action
            ? _queue.Describe(action)
            : new HsmCurrentAction { State = HsmProgressState.Waiting, Action = HsmUserAction.None };

    /// <summary>CT_REGISTER. EEXIST for a client that is registered already.</summary>
    /// <param name="export">The client.</param>
    /// <param name="archives">Ids, or null for all.</param>
    public void Register(Export export, IReadOnlySet<uint>? archives)
    {
        if (archives?.Count > options.MaxArchives)
            throw new FsException(Errno.EINVAL);
        if (!_queue.TryRegister(export, archives))
            throw new FsException(Errno.EEXIST);
        Wake();
    }

    /// <summary>CT_UNREGISTER, or the client is gone. False when it had no copytool.</summary>
    public bool Unregister(Export export)
    {
        bool known = _queue.Unregister(export);
        if (known)
            Wake();
        return known;
    }

    protected override async Task<bool> DrainAsync()
    {
        await GiveUpSilentAsync().ConfigureAwait(false);
        bool delivered = true;
        while (!Stopping.IsCancellationRequested)
        {
            var assigned = _queue.Assign(Batch);
            if (assigned.Count == 0)
                return delivered;
            List<HsmAction> ready;
            try
            {
                ready = await PrepareAsync(assigned).ConfigureAwait(false);
            }
            catch
            {
                foreach (var action in assigned)
                    _queue.TakeBack(action);
                throw;
            }
            var sends = ready
                .GroupBy(static a => (a.Agent, a.ArchiveId, a.Flags))
                .Where(static group => group.Key.Agent is not null)
                .Select(group => SendAsync(group.Key.Agent!, [.. group]));
            delivered &= Array.TrueForAll(await Task.WhenAll(sends).ConfigureAwait(false), static ok => ok);
            if (!delivered)
                return false;
        }
        return true;
    }

    /// <summary>
    /// The state of a file may have changed while its action was queued: looked at again, and what does not fit any more ends here. Of an
    /// archive the file says from now on that the archive may know it.
    /// </summary>
    private async Task<List<HsmAction>> PrepareAsync(IReadOnlyList<HsmAction> assigned)
    {
        var ready = new List<HsmAction>(assigned.Count);
        ulong transaction = 0;
        foreach (var action in assigned)
        {
            if (action.Action == HsmUserAction.Archive)
            {
                using (await locks.LockAsync(LdlmResId.OfFid(action.Fid), LockMode.PW, InodeBits.Xattr, Stopping).ConfigureAwait(false))
                    transaction = Math.Max(transaction, Prepare(action, ready));
            }
            else
            {
                transaction = Math.Max(transaction, Prepare(action, ready));
            }
        }
        await Store.WhenCommitted(transaction).ConfigureAwait(false);
        return ready;
    }

    private ulong Prepare(HsmAction action, List<HsmAction> ready)
    {
        ulong transaction = 0;
        bool fits;
        lock (Store.Gate)
        {
            fits = Files.TryGetAttr(action.Fid, out var found)
                ? found.Attributes.IsRegular && HsmRules.IsCompatible(action.Action, Files.HsmStateOf(action.Fid), action.ArchiveId)
                : action.Action == HsmUserAction.Remove;
            if (!fits)
                transaction = Files.EndHsm(action.Cookie);
            else if (action.Action == HsmUserAction.Archive)
                transaction = Files.BeginArchive(action.Fid, action.ArchiveId).Transaction;
        }
        if (fits)
            ready.Add(action);
        else
            Forget(action);
        return transaction;
    }

    private void Forget(HsmAction action)
    {
        _queue.Remove(action);
        action.ReleaseLayout();
    }

    /// <summary>Sends actions of one archive to one client, as many at a time as a message takes. False when they could not be delivered.</summary>
    private async Task<bool> SendAsync(HsmAgent agent, List<HsmAction> actions)
    {
        for (int at = 0; at < actions.Count;)
        {
            int count = CountFitting(actions, at);
            var part = actions.GetRange(at, count);
            if (await TellAsync(agent, HsmMessage.Encode(fileSystem, part)).ConfigureAwait(false) is var errno && errno != 0)
            {
                actions.GetRange(at, actions.Count - at).ForEach(_queue.TakeBack);
                // Nobody listens yet: asked again after a while. Everything else says that this client has no copytool any more.
                if (errno != Errno.EAGAIN)
                    Lose(agent, errno);
                return errno != Errno.EAGAIN;
            }
            at += count;
        }
        return true;
    }

    private int CountFitting(List<HsmAction> actions, int at)
    {
        int room = HsmMessage.MaxBytes - HsmMessage.HeadSize(fileSystem);
        int count = 0;
        while (at + count < actions.Count && (room -= HsmMessage.ItemSize(actions[at + count])) >= 0)
            count++;
        return Math.Max(1, count);
    }

    /// <summary>A message to a client with copytools; 0 when one took it, else a positive errno.</summary>
    private async Task<int> TellAsync(HsmAgent agent, byte[] message)
    {
        try
        {
            using var reply = await agent.Export.CallAsync(
                Opcode.LdlmSetInfo, HsmMessage.Key, message, hasBuffer2: true, options.SendTimeout, Stopping).ConfigureAwait(false);
            return Math.Abs(reply.Status);
        }
        catch (TimeoutException)
        {
            return Errno.ETIMEDOUT;
        }
        catch (RpcException gone)
        {
            return gone.Errno;
        }
    }

    private void Lose(HsmAgent agent, int errno)
    {
        if (_queue.Unregister(agent.Export) && _lostLines.TryEnter(out int suppressed))
            LogLost(Log, agent.Export.ToString(), errno, suppressed);
    }

    /// <summary>Actions whose copytool has said nothing for very long: its later reports will be refused (07 section 5.6).</summary>
    private async Task GiveUpSilentAsync()
    {
        foreach (var action in _queue.Silent())
        {
            if (!_queue.TryBeginEnd(action, out bool wasCanceled))
                continue;
            LogSilent(Log, action.Action, action.Fid.ToString());
            await EndUnchangedAsync(action, inStore: !wasCanceled).ConfigureAwait(false);
        }
    }

    [LoggerMessage(EventId = 3201, Level = LogLevel.Information, Message = "HSM: {Count} queued actions taken up")]
    private static partial void LogTakenUp(ILogger log, int count);

    [LoggerMessage(EventId = 3202, Level = LogLevel.Warning,
        Message = "HSM: {Client} takes no actions any more (errno {Errno}); they go to other copytools ({Suppressed} lines like this left out)")]
    private static partial void LogLost(ILogger log, string client, int errno, int suppressed);

    [LoggerMessage(EventId = 3203, Level = LogLevel.Warning, Message = "HSM: nothing was heard of the {Action} of {Fid}: given up")]
    private static partial void LogSilent(ILogger log, HsmUserAction action, string fid);
}
