using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nacre.Client.Cache;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>OST_READ and OST_WRITE of one contiguous range, at most 1 MiB (06 section 4).</summary>
internal sealed partial class ObjectTarget
{
    /// <summary>Up to this many bytes travel inside the message (06 section 4.7).</summary>
    private const int ShortIoBytes = 16 << 10;

    /// <summary>Times a request is issued again for an error that may pass (06 section 4.10).</summary>
    private const int MaxRetries = 10;

    // What a 2.15 client marks valid in bulk requests (06 section 18.1).
    private const ObdoValid WriteValid = (ObdoValid)0x018000000b104f2d;
    private const ObdoValid ReadValid = (ObdoValid)0x008000000b104f2f;
    private const NiobufFlags CachedWrite = NiobufFlags.Async | NiobufFlags.FromGrant | NiobufFlags.SysResource;
    private const NiobufFlags UncoveredWrite = NiobufFlags.Write | NiobufFlags.Sync | NiobufFlags.SysResource;
    private const NiobufFlags CachedRead = NiobufFlags.Read | NiobufFlags.Sync | NiobufFlags.SysResource;
    private const NiobufFlags DirectRead = CachedRead | NiobufFlags.NoCache | NiobufFlags.SrvLock;
    private const NiobufFlags DirectWrite = UncoveredWrite | NiobufFlags.NoCache | NiobufFlags.SrvLock;

    /// <summary>Reads; what lies behind the end of the object becomes zeros.</summary>
    /// <param name="lockHandle">The server's handle of a lock that covers the range; 0 has the server lock (O_DIRECT).</param>
    /// <returns>0 or a positive errno.</returns>
    public async ValueTask<int> ReadAsync(ObjectData from, long offset, Memory<byte> into, ulong lockHandle, CancellationToken ct)
    {
        await _readSlots.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var errno = await ReadOnceAsync(from, offset, into, lockHandle, attempt, ct).ConfigureAwait(false);
                if (!MayPass(errno) || attempt == MaxRetries)
                {
                    return errno == ChecksumMismatch ? Errno.EIO : errno;
                }

                await Task.Delay(TimeSpan.FromSeconds(attempt), Time, ct).ConfigureAwait(false);
            }
        }
        catch (ErrnoException failure)
        {
            return failure.Errno;
        }
        finally
        {
            _readSlots.Release();
        }
    }

    /// <summary>Writes, once more for errors that may pass. Does not wait for a slot.</summary>
    /// <param name="grant">Grant that pays for it; 0: the server looks for space, and it is on stable storage before the reply.</param>
    /// <param name="direct">The server locks (O_DIRECT).</param>
    /// <returns>0 or a positive errno.</returns>
    public async ValueTask<int> WriteAsync(
        ObjectData to, long offset, Memory<byte> data, long grant, bool direct, CancellationToken ct)
    {
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var errno = await WriteOnceAsync(to, offset, data, grant, direct, attempt, ct).ConfigureAwait(false);
                if (!MayPass(errno) || attempt == MaxRetries)
                {
                    return errno == ChecksumMismatch ? Errno.EIO : errno;
                }

                await Task.Delay(TimeSpan.FromSeconds(attempt), Time, ct).ConfigureAwait(false);
            }
        }
        catch (ErrnoException failure)
        {
            return failure.Errno;
        }
    }

    private const int ChecksumMismatch = int.MaxValue;

    private static bool MayPass(int errno) =>
        errno is Errno.EIO or Errno.EROFS or Errno.ENOMEM or Errno.EAGAIN or ChecksumMismatch;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadOnceAsync(
        ObjectData from, long offset, Memory<byte> into, ulong lockHandle, int attempt, CancellationToken ct)
    {
        var data = Import.ConnectData;
        var inline = into.Length <= ShortIoBytes && data.Has(ConnectFlags.Shortio);
        var call = RentCall(Opcode.OstRead, 0);
        Fill(call, from, offset, into, inline, attempt, BulkDirection.Read);
        ref var obdo = ref call.Get<Obdo>(1);
        obdo.Valid = ReadValid | (lockHandle != 0 ? ObdoValid.Handle : 0);
        obdo.Handle = lockHandle;
        Grant.Announce(ref obdo, 0);
        call.Get<NiobufRemote>(3).Flags = lockHandle != 0 ? CachedRead : DirectRead;
        call.ReplyBytes = inline ? 1024 + into.Length : 1024;
        if (WantsChecksum(data))
        {
            call.SumBulk = BrwChecksumType.Crc32C;
        }
        else
        {
            obdo.Valid &= ~ObdoValid.Checksum;
        }

        using var reply = await Import.SendAsync(call, ct).ConfigureAwait(false);
        var errno = TakeRead(reply, into, inline);
        ReturnCall(call);
        return errno;
    }

    /// <summary>Checks a reply to a read, and fills what was not sent with zeros.</summary>
    private int TakeRead(RpcReply reply, Memory<byte> into, bool inline)
    {
        if (reply.Status < 0)
        {
            return -reply.Status;
        }

        var bytes = inline ? reply.BufferLength(2) : reply.BulkBytes;
        if (bytes != reply.Status || bytes > into.Length)
        {
            return Errno.EPROTO;
        }

        if (inline)
        {
            reply.Buffer(2).CopyTo(into.Span);
        }

        into.Span[bytes..].Clear();
        ref readonly var answer = ref reply.Get<Obdo>(1);
        Grant.Receive(answer);
        return !_options.Checksums || !answer.Has(ObdoValid.Checksum) || answer.Checksum == SumOf(reply, answer, into.Span[..bytes])
            ? 0
            : ChecksumMismatch;
    }

    /// <summary>The checksum of what was read, of the type the server says it has taken.</summary>
    private static uint SumOf(RpcReply reply, in Obdo answer, ReadOnlySpan<byte> data)
    {
        var type = BrwChecksum.TypeOf(answer.Flags);
        return type == BrwChecksumType.Crc32C && reply.BulkSum is { } sum ? sum : BrwChecksum.Compute(type, data);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WriteOnceAsync(
        ObjectData to, long offset, Memory<byte> data, long grant, bool direct, int attempt, CancellationToken ct)
    {
        var connection = Import.ConnectData;
        var inline = data.Length <= ShortIoBytes && connection.Has(ConnectFlags.Shortio);
        var call = RentCall(Opcode.OstWrite, inline ? data.Length : 0);
        Fill(call, to, offset, data, inline, attempt, BulkDirection.Write);
        var checksum = FillWrite(call, to, data, attempt == 0 ? grant : 0, direct, WantsChecksum(connection));
        if (attempt > 0 && grant > 0)
        {
            // Paid for by the first attempt.
            call.Get<NiobufRemote>(3).Flags |= NiobufFlags.FromGrant;
        }

        using var reply = await Import.SendAsync(call, ct).ConfigureAwait(false);
        var errno = TakeWrite(reply, to, checksum, WantsChecksum(connection));
        ReturnCall(call);
        return errno;
    }

    private uint FillWrite(RpcCall call, ObjectData to, Memory<byte> data, long grant, bool direct, bool sum)
    {
        ref var obdo = ref call.Get<Obdo>(1);
        obdo.Valid = sum ? WriteValid : WriteValid & ~ObdoValid.Checksum;
        to.FillOwner(ref obdo);
        Grant.Announce(ref obdo, grant);
        obdo.Checksum = sum ? BrwChecksum.Compute(BrwChecksumType.Crc32C, data.Span) : 0;
        call.Get<NiobufRemote>(3).Flags = direct ? DirectWrite : grant > 0 ? CachedWrite : UncoveredWrite;
        if (call.BulkDirection == BulkDirection.None)
        {
            data.Span.CopyTo(call.Buffer(5));
        }

        return obdo.Checksum;
    }

    /// <summary>Checks a reply to a write (06 section 4.6).</summary>
    private int TakeWrite(RpcReply reply, ObjectData to, uint checksum, bool sum)
    {
        if (reply.BufferLength(1) >= Obdo.Size && reply.Status is 0 or -Errno.EDQUOT)
        {
            ref readonly var answer = ref reply.Get<Obdo>(1);
            Grant.Receive(answer);
            if (reply.Status == 0 && answer.Has(ObdoValid.Blocks))
            {
                to.OnWritten(answer.Blocks);
            }

            if (reply.Status == 0 && sum && answer.Has(ObdoValid.Checksum) && answer.Checksum != checksum)
            {
                LogChecksum(_log, Import, checksum, answer.Checksum);
                return ChecksumMismatch;
            }
        }

        if (reply.Status != 0)
        {
            return reply.Status < 0 ? -reply.Status : Errno.EPROTO;
        }

        if (reply.BufferLength(2) != sizeof(int))
        {
            return Errno.EPROTO;
        }

        var result = reply.Get<int>(2);
        return result > 0 ? Errno.EPROTO : -result;
    }

    private void Fill(
        RpcCall call, ObjectData about, long offset, Memory<byte> data, bool inline, int attempt, BulkDirection direction)
    {
        ref var obdo = ref call.Get<Obdo>(1);
        about.FillIdentity(ref obdo);
        obdo.Flags = (ObdoFlags)(uint)BrwChecksumType.Crc32C
            | (inline ? ObdoFlags.ShortIo : ObdoFlags.None)
            | (attempt > 0 ? ObdoFlags.RecoverableResend : ObdoFlags.None);
        var mds = MaxMds;
        call.Get<ObdIoobj>(2) = new ObdIoobj
        {
            Oid = obdo.Oi,
            MaxBrw = inline ? 0xffff0000 : (uint)(mds - 1) << 16,
            BufferCount = 1,
        };
        call.Get<NiobufRemote>(3) = new NiobufRemote { Offset = (ulong)offset, Length = (uint)data.Length };
        if (!inline)
        {
            SetBulk(call, direction, data, mds);
        }
    }

    /// <summary>Descriptors the server expects room for: the negotiated size in MiB (06 section 2.6).</summary>
    private int MaxMds => (int)Math.Clamp(Import.ConnectData.BrwSize >> 20, 1, 64);

    private static void SetBulk(RpcCall call, BulkDirection direction, Memory<byte> data, int mds)
    {
        Span<int> lengths = stackalloc int[4];
        var count = BulkSplit.Compute(MemoryMarshal.CreateReadOnlySpan(ref call.Get<NiobufRemote>(3), 1), Block.PageSize, lengths);
        var buffers = new Memory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            buffers[i] = data[..lengths[i]];
            data = data[lengths[i]..];
        }

        call.SetBulk(direction, Portal.OstBulk, buffers, Math.Max(mds, count));
    }

    private bool WantsChecksum(in ObdConnectData data) =>
        _options.Checksums && data.Has(ConnectFlags.Cksum) && (data.ChecksumTypes & (uint)OcdChecksumTypes.Crc32C) != 0;

    [LoggerMessage(7020, LogLevel.Warning, "{Target}: wrote data with checksum {Sent:x8}, the server has {Stored:x8}; sending again")]
    private static partial void LogChecksum(ILogger log, Import target, uint sent, uint stored);
}
