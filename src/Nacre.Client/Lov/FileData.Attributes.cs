using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>Size, blocks and times: 06 section 7.</summary>
internal sealed partial class FileData
{
    /// <summary>From held locks, else by glimpse.</summary>
    public async ValueTask<Outcome<DataAttributes>> GetAttributesAsync(CancellationToken ct)
    {
        try
        {
            if (await EnterAsync(forWrite: false, 0, 0, ct).ConfigureAwait(false) is not { } striped)
            {
                return default(DataAttributes) with { MayBeCached = true };
            }

            try
            {
                return TryMerge(striped, out var known) ? known : await AskAsync(striped, ct).ConfigureAwait(false);
            }
            finally
            {
                Leave();
            }
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    /// <summary>What this client knows without asking, for a close: false when it knows nothing certain of some object.</summary>
    public bool TryGetKnownAttributes(out DataAttributes attributes)
    {
        StripedFile? striped;
        lock (_layoutGate)
        {
            striped = _striped;
        }

        attributes = default;
        return striped is not null && TryMerge(striped, out attributes);
    }

    /// <summary>
    /// The part of utimes, chmod or chown that follows the MDT's SETATTR; null leaves a time. Seconds (06 sections 6.2 and 7.4).
    /// </summary>
    public async ValueTask<Outcome<Done>> SetTimesAsync(long? accessTime, long? modifyTime, long changeTime, CancellationToken ct)
    {
        try
        {
            if (await EnterAsync(forWrite: false, 0, 0, ct).ConfigureAwait(false) is not { } striped)
            {
                return default(Done);
            }

            List<LockReference> locks = [];
            try
            {
                // Who has locks on the data answers with times of its own, and writes them back: newer than a time of the past.
                if (accessTime < changeTime || modifyTime < changeTime)
                {
                    await LockAllAsync(striped, 0, LdlmFlags.None, locks, ct).ConfigureAwait(false);
                }

                await Task.WhenAll(ObjectsOf(striped).Select(data => SetTimesAsync(data, accessTime, modifyTime, changeTime, ct)))
                    .ConfigureAwait(false);
                return default(Done);
            }
            finally
            {
                locks.ForEach(static held => held.Dispose());
                Leave();
            }
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    /// <summary>Size of the file, asking for the objects this client is not certain about.</summary>
    private static async ValueTask<long> SizeAsync(StripedFile striped, CancellationToken ct) =>
        TryMerge(striped, out var known) ? known.Size : (await AskAsync(striped, ct).ConfigureAwait(false)).Size;

    private static bool TryMerge(StripedFile striped, out DataAttributes merged)
    {
        merged = new DataAttributes { MayBeCached = true };
        foreach (var component in striped.Layout.Components)
        {
            for (var stripe = 0; component.HasObjects && stripe < component.StripeCount; stripe++)
            {
                var data = striped[component, stripe] ?? throw NoSuchTarget();
                if (!data.TryGetAttributes(out var known))
                {
                    return false;
                }

                merged = Merge(merged, component, stripe, known);
            }
        }

        return true;
    }

    /// <summary>All objects side by side: what one answers does not depend on another.</summary>
    private static async ValueTask<DataAttributes> AskAsync(StripedFile striped, CancellationToken ct)
    {
        var stripes = striped.Stripes().ToArray();
        var answers = await Task.WhenAll(
            stripes.Select(stripe => (stripe.Object ?? throw NoSuchTarget()).GetAttributesAsync(ct).AsTask())).ConfigureAwait(false);
        var merged = new DataAttributes { MayBeCached = true };
        for (var i = 0; i < stripes.Length; i++)
        {
            merged = Merge(merged, stripes[i].Component, stripes[i].Index, answers[i]);
        }

        return merged;
    }

    private static DataAttributes Merge(in DataAttributes sum, Component component, int stripe, in ObjectAttributes of) => new(
        HasObjects: true,
        Math.Max(sum.Size, component.FileSize(stripe, of.Size)),
        sum.Blocks + of.Blocks,
        Math.Max(sum.AccessTime, of.AccessTime),
        Math.Max(sum.ModifyTime, of.ModifyTime),
        Math.Max(sum.ChangeTime, of.ChangeTime),
        sum.MayBeCached && of.IsLocked);

    private static async Task SetTimesAsync(ObjectData data, long? accessTime, long? modifyTime, long changeTime, CancellationToken ct)
    {
        var body = NewBody(
            data, (ObdoValid)0x0080000003004001 | ObdoValid.CTime
            | (accessTime is null ? 0 : ObdoValid.ATime) | (modifyTime is null ? 0 : ObdoValid.MTime));
        (body.ATime, body.MTime, body.CTime) = (accessTime ?? 0, modifyTime ?? 0, changeTime);
        // Before the request: what is written back meanwhile carries the new times.
        data.SetTimes(accessTime, modifyTime, changeTime);
        await data.Target.CallAsync(Opcode.OstSetattr, body, ct).ConfigureAwait(false);
    }

    private async ValueTask SyncObjectsAsync(CancellationToken ct)
    {
        if (await EnterAsync(forWrite: false, 0, 0, ct).ConfigureAwait(false) is not { } striped)
        {
            return;
        }

        try
        {
            await Task.WhenAll(striped.Stripes().Where(stripe => stripe.Object is not null)
                .Select(stripe => SyncObjectAsync(stripe, ct))).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    private static async Task SyncObjectAsync(Stripe stripe, CancellationToken ct)
    {
        var body = NewBody(stripe.Object!, (ObdoValid)0x3004031);
        body.Blocks = (ulong)stripe.Component.ObjectSize(stripe.Index, long.MaxValue);
        await stripe.Object!.Target.CallAsync(Opcode.OstSync, body, ct).ConfigureAwait(false);
    }

    private static IEnumerable<ObjectData> ObjectsOf(StripedFile striped) =>
        striped.Stripes().Select(stripe => stripe.Object ?? throw NoSuchTarget());

    private static Obdo NewBody(ObjectData about, ObdoValid valid)
    {
        var body = default(Obdo);
        about.FillIdentity(ref body);
        body.Valid = valid;
        return body;
    }
}
