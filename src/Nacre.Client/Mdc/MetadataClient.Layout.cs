using Nacre.Client.Inodes;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>Layouts: IT_LAYOUT, and what follows where it had to wait (05 section 6.8).</summary>
internal sealed partial class MetadataClient
{
    private const int LayoutReplyBytes = 1024;

    /// <summary>
    /// The present layout with a lock on it. With <paramref name="forWrite"/> the components that touch the range get their objects.
    /// </summary>
    public async ValueTask<Outcome<LayoutReply>> GetLayoutAsync(LustreInode inode, bool forWrite, long offset, long length, CancellationToken ct)
    {
        var cancels = new ulong[MaxCancels];
        var count = forWrite ? await TakeCancelsAsync(inode.Fid, InodeBits.Layout, cancels).ConfigureAwait(false) : 0;
        var prepared = Target.Locks.Prepare(
            inode.Resource, LockType.IBits, forWrite ? LockMode.EX : LockMode.CR, LdlmPolicy.IBits(InodeBits.Layout));
        var call = Rent(Opcode.LdlmEnqueue, EnqueueBytes(count), LdlmIntent.Size, LayoutIntent.Size, 0);
        call.ReplyBytes = LayoutReplyBytes + EaBytes;
        call.Modifies = forWrite;
        Target.Locks.FillRequest(call, prepared, LdlmFlags.HasIntent, cancels.AsSpan(0, count));
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.Layout;
        call.Get<LayoutIntent>(3) = new LayoutIntent
        {
            Op = forWrite ? LayoutIntentOp.Write : LayoutIntentOp.Access,
            Start = (ulong)offset,
            End = length > long.MaxValue - offset ? ulong.MaxValue : (ulong)(offset + length),
        };
        return await SendLayoutAsync(inode, prepared, call, ct).ConfigureAwait(false);
    }

    private async ValueTask<Outcome<LayoutReply>> SendLayoutAsync(LustreInode inode, ClientLock prepared, RpcCall call, CancellationToken ct)
    {
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            Target.Locks.Abandon(prepared);
            return new Failure(sent.Errno);
        }

        using var reply = sent.Value;
        try
        {
            var granted = await Target.Locks.AcceptAsync(prepared, reply, ct).ConfigureAwait(false) ?? default;
            var result = reply.BufferLength(1) >= LdlmReply.Size ? (int)reply.Get<LdlmReply>(1).LockPolicyRes2 : -Errno.EPROTO;
            if (result < 0)
            {
                granted.End();
                return new Failure(ErrnoFrom(-result));
            }

            var layout = granted.IsHeld && !granted.Lock.LvbBytes.IsEmpty ? granted.Lock.LvbBytes : reply.Buffer(2).ToArray();
            return layout.IsEmpty
                ? await FetchLayoutAsync(inode, granted, ct).ConfigureAwait(false)
                : new LayoutReply(layout, granted);
        }
        catch (ErrnoException failure)
        {
            Target.Locks.Abandon(prepared);
            return new Failure(ErrnoFrom(failure.Errno));
        }
        catch (OperationCanceledException)
        {
            Target.Locks.Abandon(prepared);
            return new Failure(Errno.EINTR);
        }
    }

    /// <summary>The lock waited for somebody, so the reply had no layout; or there is none.</summary>
    private async ValueTask<Outcome<LayoutReply>> FetchLayoutAsync(LustreInode inode, LockReference granted, CancellationToken ct)
    {
        var value = await GetXattrAsync(inode.Fid, "trusted.lov"u8.ToArray(), Credentials.Root, ct).ConfigureAwait(false);
        if (value.IsOk || value.Errno == Errno.ENODATA)
        {
            return new LayoutReply(value.IsOk ? value.Value : default(ReadOnlyMemory<byte>), granted);
        }

        granted.End();
        return new Failure(value.Errno);
    }
}

/// <summary>A layout, and the lock that holds it. Dispose once the inode has taken both over.</summary>
/// <param name="Layout">LOV EA; empty for a file that has none.</param>
internal readonly record struct LayoutReply(ReadOnlyMemory<byte> Layout, LockReference Lock) : IDisposable
{
    public void Dispose()
    {
        Lock.End();
    }
}
