using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// Waits for the reply to one copy of a rare request: a callback, a connect, a disconnect. Memory is not used again, because a late
/// reply may still land in it.
/// </summary>
internal sealed class ReplyWaiter
{
    /// <summary>Longest reply taken: a glimpse with a layout, or connect data of a newer server.</summary>
    public const int ReplyBytes = 4096;

    /// <summary>Options of the posted buffer.</summary>
    public const PostOptions Options =
        PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset | PostOptions.Truncate;

    private readonly TaskCompletionSource<RpcReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _early;

    /// <summary>Takes replies with these match bits, until the result is disposed. There may be several such places; the first reply counts.</summary>
    public PostedBuffer Post(ILNet lnet, int portal, PeerId from, ulong matchBits)
    {
        var place = new Place(this);
        return lnet.Post(portal, from, matchBits, place.Memory, Options, place);
    }

    /// <summary>The reply, or null when there is none in time or <paramref name="giveUp"/> fired.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> fired.</exception>
    public async ValueTask<RpcReply?> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken giveUp, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(giveUp, ct);
        while (true)
        {
            try
            {
                return await _reply.Task.WaitAsync(patience, time, either.Token).ConfigureAwait(false);
            }
            catch (TimeoutException) when (_early)
            {
                // The peer asked for more time; one more round is what it gets.
                _early = false;
            }
            catch (TimeoutException)
            {
                return null;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    /// <summary>Only early replies carry a checksum; without adaptive timeouts the final reply too is at offset 0.</summary>
    private static bool IsEarly(RpcReply reply, int offset) => offset == 0 && reply.Message.Header.Checksum != 0;

    /// <summary>Memory of its own for each place a reply may come to: two late ones must not land in one another.</summary>
    private sealed class Place(ReplyWaiter waiter) : IPostedEvents
    {
        private readonly byte[] _memory = new byte[MessageLayout.EarlyReplySize + ReplyBytes];

        public Memory<byte> Memory => _memory;

        void IPostedEvents.OnPut(PostedBuffer buffer, int offset, int stored, int sent)
        {
            var reply = new RpcReply(_memory, pool: null);
            if (stored < sent || !reply.TryLoad(offset, stored))
            {
                return;
            }

            if (IsEarly(reply, offset))
            {
                waiter._early = true;
            }
            else
            {
                waiter._reply.TrySetResult(reply);
            }
        }

        void IPostedEvents.OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
