namespace Nacre.Server.Node;

/// <summary>File systems that come, change and go while the node runs.</summary>
public sealed partial class NacreNode
{
    /// <summary>Longest time requests of an evicted client may take to end; they are cancelled and need milliseconds.</summary>
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(30);

    /// <summary>One change of what the node is made of at a time.</summary>
    private readonly SemaphoreSlim _changing = new(1);

    /// <summary>
    /// Makes the file system, or gives the one there is the OSTs, the capacity and the settings it lacks. May be repeated after it failed. On return it can be
    /// mounted; clients that have it mounted use new OSTs within seconds.
    /// </summary>
    /// <exception cref="NodeConfigurationException">There can be no such file system, or a store refuses.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public Task EnsureFileSystemAsync(FileSystemWish wish, CancellationToken cancellationToken)
    {
        wish.Check();
        return ChangeAsync(
            () => _fileSystems.TryGetValue(wish.Name, out var targets) && !targets.IsStopping
                ? GrowAsync(targets, wish.ApplyTo(targets.Record), cancellationToken)
                : MakeAsync(wish, cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// Removes the file system with all its files. Its clients get errors from now on, also those that come back later; its name can be used
    /// again at once. The data goes in the background. Killed at any moment, the file system is either whole at the next start, or that removes
    /// it. No such file system is no error; may be repeated after it failed.
    /// </summary>
    /// <exception cref="TimeoutException">Requests of its clients do not end.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public Task RemoveFileSystemAsync(string name, CancellationToken cancellationToken)
    {
        FileSystemSpec.CheckedName(name);
        return ChangeAsync(() => RemoveUnderLockAsync(name, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Adds an OST to a file system; mounted clients use it within seconds. The capacity of the file system grows by that of one of its OSTs.
    /// </summary>
    /// <exception cref="NodeConfigurationException">There is no such file system.</exception>
    public Task AddOstAsync(string fileSystem, CancellationToken cancellationToken) => AddOstsAsync(fileSystem, 1, cancellationToken);

    /// <summary>
    /// Adds OSTs to a file system, one after the other; mounted clients use them within seconds. The capacity of the file system grows
    /// by that of one of its OSTs with each.
    /// </summary>
    /// <exception cref="NodeConfigurationException">There is no such file system, or it would have too many.</exception>
    public Task AddOstsAsync(string fileSystem, int count, CancellationToken cancellationToken) => ChangeAsync(
        async () =>
        {
            var targets = CheckGrowth(fileSystem, count);
            for (var added = 0; added < count; added++)
            {
                var record = targets.Record;
                record = record with { OstCount = record.OstCount + 1, CapacityGib = record.CapacityGib + (record.CapacityGib / record.OstCount) };
                await GrowAsync(targets, record, cancellationToken);
            }
        },
        cancellationToken);

    private async Task ChangeAsync(Func<Task> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            await change();
        }
        finally
        {
            _changing.Release();
        }
    }

    private FileSystemTargets CheckGrowth(string fileSystem, int count)
    {
        if (!_fileSystems.TryGetValue(fileSystem, out var targets) || targets.IsStopping)
        {
            throw new NodeConfigurationException($"this node has no file system '{fileSystem}'");
        }

        return count >= 1 && count <= FileSystemSpec.MaxOsts - targets.Record.OstCount
            ? targets
            : throw new NodeConfigurationException(
                $"{count} OSTs cannot be added: file system '{fileSystem}' has {targets.Record.OstCount} of at most {FileSystemSpec.MaxOsts}");
    }

    private async Task MakeAsync(FileSystemWish wish, CancellationToken cancellationToken)
    {
        var present = _data.Find(wish.Name);
        if (present is null || _fileSystems.ContainsKey(wish.Name))
        {
            // Of a removal that failed on its way.
            await RemoveUnderLockAsync(wish.Name, cancellationToken);
            present = null;
        }

        var record = wish.ApplyTo(present ?? new FileSystemRecord(wish.Name, wish.OstCount, wish.CapacityGib) { Generation = _data.RemovedCount });
        _data.Save(record);
        DivideOpenObjects(record.OstCount);
        await ServeAsync(record, cancellationToken);
    }

    private async Task GrowAsync(FileSystemTargets targets, FileSystemRecord record, CancellationToken cancellationToken)
    {
        _data.Save(record);
        DivideOpenObjects(record.OstCount - targets.Record.OstCount);
        targets.Change(record);
        // With those of an earlier call that ended after it had kept the record: indexes must leave no gap.
        await AnnounceAsync(record, cancellationToken);
        targets.UseNewOsts();
    }

    private async Task RemoveUnderLockAsync(string name, CancellationToken cancellationToken)
    {
        if (_fileSystems.TryGetValue(name, out var targets) || _data.Find(name) is not null)
        {
            // First, so that its clients learn at once that it is gone for good.
            _data.NoteRemoval(name);
            if (targets is not null)
            {
                await targets.StopServingAsync(cancellationToken).WaitAsync(DrainPatience, _time, cancellationToken);
                await targets.DisposeAsync();
            }

            _data.Detach(name);
            _fileSystems = _fileSystems.Remove(name);
            DivideOpenObjects(0);
        }

        // Without a note of its removal, a log without a file system is one whose data somebody has put elsewhere.
        if (_data.WasRemoved(name))
        {
            _mgs.RemoveFileSystem(name);
        }

        DeleteDetached(name);
    }

    /// <summary>What a removal before the last start has not come to.</summary>
    private void FinishRemovals()
    {
        foreach (var name in _data.Detached().Select(detached => detached.Name).Distinct())
        {
            if (_data.Find(name) is null)
            {
                _mgs.RemoveFileSystem(name);
            }

            DeleteDetached(name);
        }
    }

    private void DeleteDetached(string name)
    {
        foreach (var (_, folder) in _data.Detached().Where(detached => detached.Name == name))
        {
            _remover.Add(folder);
        }
    }

    /// <summary>All OSTs get the same part, those that are about to come too.</summary>
    private void DivideOpenObjects(int coming)
    {
        var osts = _fileSystems.Values.Sum(targets => targets.Record.OstCount) + coming;
        _host.OpenObjects = TargetHost.OpenObjectsFor(_options.FileDescriptors, osts);
        foreach (var targets in _fileSystems.Values)
        {
            targets.LimitOpenObjects(_host.OpenObjects);
        }
    }
}
