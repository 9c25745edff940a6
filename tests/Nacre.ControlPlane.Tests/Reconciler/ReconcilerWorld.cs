using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Reconciler;
using Nacre.ControlPlane.Shapes;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Reconciler;

/// <summary>A catalog, a reconciler, and servers that a test controls. States pass as fast as they can.</summary>
internal sealed class ReconcilerWorld : IAsyncDisposable
{
    public const string Id = "fs-0123456789abcdef0";
    public const string MountName = "abcdebmv";

    private readonly string _folder = Directory.CreateTempSubdirectory("nacre-reconciler-").FullName;
    private readonly ConcurrentQueue<FileSystem?> _history = new();
    /// <summary>Held while the catalog is exchanged or asked.</summary>
    private readonly Lock _gate = new();
    private FileSystemReconciler? _reconciler;

    public ReconcilerWorld(TimeProvider? time = null, TransitionTimes? times = null, int maxTries = 3)
    {
        Time = time ?? TimeProvider.System;
        Options = new ReconcilerOptions
        {
            Times = times ?? TransitionTimes.All(TimeSpan.Zero),
            Retry = new RetryPolicy { FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(2), MaxTries = maxTries },
        };
        Catalog = Open();
    }

    public TimeProvider Time { get; }

    public ReconcilerOptions Options { get; }

    public ResourceCatalog Catalog { get; private set; }

    public TwinDataPlane Plane { get; } = new();

    /// <summary>What anybody who looked at every moment has seen; null where it was gone.</summary>
    public IReadOnlyList<FileSystem?> History => [.. _history];

    public FileSystem? Current
    {
        get
        {
            lock (_gate)
            {
                return Catalog.FileSystems.Find(Id)?.Description;
            }
        }
    }

    public void Start()
    {
        _reconciler = new FileSystemReconciler(Catalog, Plane, Options, Time, NullLogger<FileSystemReconciler>.Instance);
        _reconciler.Start();
    }

    /// <summary>
    /// Ends the reconciler where it stands, as a kill would: what waits in a call of the servers is cut off there, and nothing more is written. Then another
    /// process opens the catalog.
    /// </summary>
    public async Task KillAndStartAsync()
    {
        await _reconciler!.DisposeAsync().AsTask().Within();
        lock (_gate)
        {
            Catalog.Dispose();
            Catalog = Open();
        }

        Start();
    }

    public void Insert(Func<FileSystem, FileSystem>? change = null)
    {
        var description = new FileSystem
        {
            OwnerId = "123456789012",
            CreationTime = Now,
            FileSystemId = Id,
            Lifecycle = FileSystemLifecycle.Creating,
            StorageCapacity = 1200,
            StorageType = "SSD",
            DNSName = "10.0.0.5",
            ResourceARN = $"arn:aws:fsx:us-east-1:123456789012:file-system/{Id}",
            FileSystemTypeVersion = "2.15",
            LustreConfiguration = new LustreFileSystemConfiguration { DeploymentType = "SCRATCH_2", MountName = MountName },
        };
        Catalog.FileSystems.Insert(new FileSystemEntry { Description = (change ?? (one => one))(description) });
    }

    /// <summary>As UpdateFileSystem does it: the actions in front of those there are.</summary>
    public void Request(TargetFileSystemValues values, bool optimizing = false)
    {
        var update = new AdministrativeAction
        {
            AdministrativeActionType = ActionType.FileSystemUpdate,
            RequestTime = Now,
            Status = ActionStatus.Pending,
            TargetFileSystemValues = values,
        };
        AdministrativeAction[] added = optimizing
            ? [update, update with { AdministrativeActionType = ActionType.StorageOptimization, TargetFileSystemValues = null }]
            : [update];
        Change(one => one with { AdministrativeActions = [.. added, .. one.AdministrativeActions ?? []] });
    }

    public void Delete() => Change(one => one with { Lifecycle = FileSystemLifecycle.Deleting });

    public Task UntilAsync(Func<FileSystem?, bool> condition) => Eventually.TrueAsync(() => condition(Current));

    public async ValueTask DisposeAsync()
    {
        if (_reconciler is not null)
        {
            await _reconciler.DisposeAsync();
        }

        Catalog.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // With a fraction, as two requests never have the same time.
    private double Now => (Time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    private void Change(Func<FileSystem, FileSystem> change)
    {
        lock (_gate)
        {
            Catalog.FileSystems.Update(Id, entry => entry with { Description = change(entry.Description) });
        }
    }

    private ResourceCatalog Open()
    {
        var catalog = ResourceCatalog.Open(Path.Combine(_folder, "catalog.db"), Time, NullLogger.Instance);
        catalog.FileSystems.Changed += _ => _history.Enqueue(catalog.FileSystems.Find(Id)?.Description);
        return catalog;
    }
}
