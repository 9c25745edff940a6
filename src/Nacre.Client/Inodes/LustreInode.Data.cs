using Nacre.Client.Lov;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>The layout, and the bytes behind it.</summary>
internal sealed partial class LustreInode
{
    /// <summary>The bytes of a regular file; made when they are first wanted.</summary>
    public async ValueTask<FileData> GetDataAsync()
    {
        while (true)
        {
            Task closing;
            lock (_gate)
            {
                closing = _closingData;
                if (closing.IsCompleted)
                {
                    return _data ?? MakeData();
                }
            }

            await closing.ConfigureAwait(false);
        }
    }

    private FileData MakeData()
    {
        _data = new FileData(_table.Data, this);
        if ((_bits & InodeBits.Layout) != 0)
        {
            _data.SetLayout(_layout);
        }

        return _data;
    }

    /// <inheritdoc/>
    public async ValueTask<Outcome<FileLayout?>> RefreshLayoutAsync(bool forWrite, long offset, long length, CancellationToken ct)
    {
        var got = await _table.Mdc.GetLayoutAsync(this, forWrite, offset, length, ct).ConfigureAwait(false);
        if (!got.IsOk)
        {
            return new Failure(got.Errno);
        }

        using var answer = got.Value;
        return TakeLayout(answer);
    }

    /// <summary>Gives back memory and locks; what is still dirty is written first. The file may be used again meanwhile, and waits.</summary>
    internal Task CloseDataAsync()
    {
        lock (_gate)
        {
            if (_data is { } data)
            {
                _data = null;
                _closingData = CloseDataAsync(data);
            }

            return _closingData;
        }
    }

    private static async Task CloseDataAsync(FileData data)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await data.CloseAsync().ConfigureAwait(false);
    }

    private Outcome<FileLayout?> TakeLayout(in Mdc.LayoutReply answer)
    {
        if (!TryParse(answer.Layout.Span, out var layout))
        {
            return new Failure(Errno.EOPNOTSUPP);
        }

        FileData? data;
        lock (_gate)
        {
            _layout = layout;
            data = _data;
            Add(answer.Lock);
        }

        data?.SetLayout(layout);
        DropIfGone(answer.Lock);
        return layout;
    }

    private static bool TryParse(ReadOnlySpan<byte> ea, out FileLayout? layout)
    {
        layout = null;
        return ea.IsEmpty || FileLayout.TryParse(ea, out layout);
    }

    private async ValueTask LoseLayoutAsync()
    {
        FileData? data;
        lock (_gate)
        {
            data = _data;
        }

        if (data is not null)
        {
            await data.LoseLayoutAsync().ConfigureAwait(false);
        }
    }
}
