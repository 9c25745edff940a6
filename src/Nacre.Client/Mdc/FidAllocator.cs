using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>FIDs nobody has used, out of sequences the MDT gives this client (04 section 13). Safe for any thread.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is not asked for holds nothing to release.")]
internal sealed class FidAllocator(Import import)
{
    private const uint FidsPerSequence = 0x20000;
    private const uint AllocateMetadata = 1;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _asking = new(1);
    private LuSeqRange _range;
    private uint _lastObjectId;

    /// <summary>The next one; a request is needed once in 131,072 times.</summary>
    public ValueTask<Outcome<LuFid>> NextAsync() => TryTake(out var fid) ? ValueTask.FromResult<Outcome<LuFid>>(fid) : AskAsync();

    /// <summary>After an eviction the rest of the sequence is thrown away.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _range.Start = _range.End;
        }
    }

    private bool TryTake(out LuFid fid)
    {
        lock (_gate)
        {
            if (_lastObjectId == FidsPerSequence && _range.Start < _range.End)
            {
                _range.Start++;
                _lastObjectId = 0;
            }

            var has = _range.Start < _range.End;
            fid = has ? new LuFid(_range.Start, ++_lastObjectId) : default;
            return has;
        }
    }

    private async ValueTask<Outcome<LuFid>> AskAsync()
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            if (TryTake(out var fid))
            {
                return fid;
            }

            var range = await RequestAsync().ConfigureAwait(false);
            lock (_gate)
            {
                (_range, _lastObjectId) = (range, 0);
            }

            return TryTake(out fid) ? fid : new Failure(Errno.EPROTO);
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async ValueTask<LuSeqRange> RequestAsync()
    {
        var call = new RpcCall(Opcode.SeqQuery, sizeof(uint), LuSeqRange.Size);
        MemoryMarshal.Write(call.Buffer(1), AllocateMetadata);
        call.Get<LuSeqRange>(2).Index = _range.Index;
        using var reply = (await import.SendAsync(call).ConfigureAwait(false)).ThrowIfFailed();
        return reply.Get<LuSeqRange>(1);
    }
}
