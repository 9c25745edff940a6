using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.Client.Targets;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>
/// The MDC: builds the requests of 05 for one metadata target, sends them and checks the answers. Keeps nothing of what they say but the locks.
/// <para>
/// What changes something is not given up when its caller is interrupted: the server may execute it all the same, and an EINTR would be a lie.
/// Only the end of the mount ends it.
/// </para>
/// </summary>
internal sealed partial class MetadataClient(Target target, MountOptions options)
{
    /// <summary>Every group is another: no supplementary group helps (05 section 2.3).</summary>
    public const uint NoGroup = uint.MaxValue;

    private const int MaxPooledCalls = 256;
    private const uint FirstEaBytes = 128;

    /// <summary>A larger layout than this is taken for nonsense: 2000 stripes and a hundred components fit.</summary>
    private const uint MaxEaBytes = 1 << 20;

    private readonly ConcurrentQueue<RpcCall> _calls = new();
    private int _pooledCalls;
    private uint _eaBytes = FirstEaBytes;

    public Target Target { get; } = target;

    public Import Import => Target.Import;

    public FidAllocator Fids { get; } = new(target.Import);

    private bool HasCancelSets => Import.ConnectData.Has(ConnectFlags.Cancelset);

    /// <summary>Bytes reserved for a layout in replies: the largest one seen (05 section 20.7).</summary>
    private int EaBytes => (int)Volatile.Read(ref _eaBytes);

    private long Now => options.Time.GetUtcNow().ToUnixTimeSeconds();

    private RpcCall Rent(uint opcode, params ReadOnlySpan<int> lengths)
    {
        if (_calls.TryDequeue(out var call))
        {
            Interlocked.Decrement(ref _pooledCalls);
            call.Restart(opcode, lengths);
        }
        else
        {
            call = new RpcCall(opcode, lengths);
        }

        call.JobId = options.JobId;
        return call;
    }

    private void Return(RpcCall call)
    {
        if (Interlocked.Increment(ref _pooledCalls) <= MaxPooledCalls)
        {
            _calls.Enqueue(call);
        }
        else
        {
            Interlocked.Decrement(ref _pooledCalls);
        }
    }

    /// <summary>Sends, and gives the call back to the pool; a refusal of the server becomes a failure, the reply is the caller's.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<RpcReply>> SendAsync(RpcCall call, CancellationToken ct)
    {
        var sent = await TrySendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk || sent.Value.Status >= 0)
        {
            return sent;
        }

        var errno = -sent.Value.Status;
        sent.Value.Dispose();
        return new Failure(ErrnoFrom(errno));
    }

    /// <summary>As <see cref="SendAsync"/>, but a refusal is a reply like another.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<RpcReply>> TrySendAsync(RpcCall call, CancellationToken ct)
    {
        try
        {
            return await Import.SendAsync(call, ct).ConfigureAwait(false);
        }
        catch (ErrnoException failure)
        {
            return new Failure(ErrnoFrom(failure.Errno));
        }
        catch (OperationCanceledException)
        {
            return new Failure(Errno.EINTR);
        }
        finally
        {
            Return(call);
        }
    }

    /// <summary>What a program may see: numbers of the protocol alone become EIO or their nearest relative.</summary>
    private static int ErrnoFrom(int errno) => errno switch
    {
        Errno.ENOTSUPP => Errno.EOPNOTSUPP,
        Errno.ERESTARTSYS => Errno.EINTR,
        Errno.ESHUTDOWN or Errno.ENOTCONN or Errno.EBADHANDLE => Errno.EIO,
        _ => errno,
    };

    private void FillCaller(ref MdtBody body, in Credentials who, uint group)
    {
        body.FsUid = body.Uid = who.Uid;
        body.FsGid = body.Gid = who.Gid;
        body.Capability = CapabilitiesOf(who);
        body.Suppgid = GroupFor(who, group);
    }

    /// <summary>The start all reint records have in common (05 section 5.1).</summary>
    private static void FillReint(ref MdtRecReint record, ReintOp operation, in Credentials who, uint group1, uint group2)
    {
        record.Opcode = operation;
        record.Cap = CapabilitiesOf(who);
        record.FsUid = who.Uid;
        record.FsGid = who.Gid;
        record.Suppgid1 = GroupFor(who, group1);
        if (operation != ReintOp.SetAttr)
        {
            record.Suppgid2 = GroupFor(who, group2);
        }
    }

    /// <summary>Root has all; what others may have, servers ignore (05 section 9.1).</summary>
    private static uint CapabilitiesOf(in Credentials who) => who.Uid == 0 ? uint.MaxValue : 0;

    /// <summary>The group of an object, where the caller is in it by a supplementary group only (05 section 2.3).</summary>
    private static uint GroupFor(in Credentials who, uint group) =>
        group != who.Gid && who.Groups.Span.Contains(group) ? group : NoGroup;

    private static void WriteName(Span<byte> buffer, ReadOnlySpan<byte> name) => name.CopyTo(buffer);

    private static void WriteText(Span<byte> buffer, string text) => Encoding.UTF8.GetBytes(text, buffer);

    private static void FillEarlyCancels(Span<byte> buffer, ReadOnlySpan<ulong> handles)
    {
        if (buffer.Length >= LdlmRequest.Size)
        {
            MemoryMarshal.AsRef<LdlmRequest>(buffer).LockCount = (uint)handles.Length;
            handles.CopyTo(MemoryMarshal.Cast<byte, ulong>(buffer[LdlmRequest.HandlesOffset..]));
        }
    }

    /// <summary>Bytes of an early cancel list: none where the server does not read them.</summary>
    private int CancelBytes(int handles) => HasCancelSets ? LdlmRequest.HandlesOffset + (sizeof(ulong) * Math.Max(2, handles)) : 0;

    private void LearnEaSize(in MdtBody body)
    {
        if ((body.Valid & ObdMd.FlModeAsize) != 0 && body.MaxMdSize > Volatile.Read(ref _eaBytes) && body.MaxMdSize <= MaxEaBytes)
        {
            Volatile.Write(ref _eaBytes, (body.MaxMdSize + 7) & ~7u);
        }
    }
}
