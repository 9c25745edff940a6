using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Layouts;

namespace Nacre.Server.Mdt;

/// <summary>
/// Destroys the objects of removed files on the OSTs: takes what the store has queued and committed, tells the OSTs, and
/// confirms. The queue is durable, so a killed server leaks nothing; an OST that is away keeps its entries waiting.
/// </summary>
internal sealed partial class ObjectDestroyer(MdtFileSystem fs, ObjectAllocator targets, TimeProvider time, ILogger log)
    : QueueWorker(fs, time, log)
{
    /// <summary>Queue entries worked on at a time; their removals share flushes on the OSTs.</summary>
    private const int BatchSize = 256;

    protected override async Task<bool> DrainAsync()
    {
        bool complete = true;
        long after = 0;
        while (true)
        {
            await CommittedAsync().ConfigureAwait(false);
            IReadOnlyList<PendingDestroy> batch;
            lock (Store.Gate)
                batch = Files.PendingDestroys(after, BatchSize);
            if (batch.Count == 0)
                return complete;
            after = batch[^1].Id;
            complete &= await DestroyBatchAsync(batch).ConfigureAwait(false);
        }
    }

    private async Task<bool> DestroyBatchAsync(IReadOnlyList<PendingDestroy> batch)
    {
        var done = await Task.WhenAll(batch.Select(DestroyAsync)).ConfigureAwait(false);
        lock (Store.Gate)
        {
            for (int i = 0; i < done.Length; i++)
            {
                if (done[i])
                    Files.ConfirmDestroy(batch[i].Id);
            }
        }
        return Array.TrueForAll(done, static d => d);
    }

    private async Task<bool> DestroyAsync(PendingDestroy entry)
    {
        if (!LovCodec.TryDecode(entry.Layout.Span, userForm: false, out var layout))
            return true; // Nothing in it that could be destroyed.
        try
        {
            foreach (var item in layout.Objects())
            {
                if (targets.Get((int)item.OstIndex) is not { Active: true } target)
                    return false;
                await target.DestroyAsync(item.Object, Stopping).ConfigureAwait(false);
            }
            return true;
        }
        catch (FsException refused)
        {
            LogRefused(Log, entry.Fid.ToString(), refused.Errno);
            return false;
        }
    }

    [LoggerMessage(EventId = 3102, Level = LogLevel.Warning,
        Message = "An OST could not destroy objects of removed file {Fid} (errno {Errno}); trying again")]
    private static partial void LogRefused(ILogger log, string fid, int errno);
}
