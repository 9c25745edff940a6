using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Tests.Catalog;

public sealed class ResourceCatalogTests : IDisposable
{
    private const string Account = "123456789012";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-catalog-");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    private string File => Path.Combine(_folder.FullName, "catalog.db");

    [Fact]
    public void What_was_inserted_is_found_as_it_was()
    {
        using var catalog = Open();
        var entry = Entry(1) with { SecurityGroupIds = ["sg-0123456789abcdef0"], LastCapacityRequest = 1234.5, OstCount = 2 };
        catalog.FileSystems.Insert(entry);

        var found = catalog.FileSystems.Find(Id(1))!;
        Assert.Equal(entry.Description.LustreConfiguration, found.Description.LustreConfiguration);
        Assert.Equal(entry.Description.CreationTime, found.Description.CreationTime);
        Assert.Equal(entry.SecurityGroupIds, found.SecurityGroupIds);
        Assert.Equal((1234.5, 2), (found.LastCapacityRequest, found.OstCount));
        Assert.Null(catalog.FileSystems.Find(Id(2)));
    }

    [Fact]
    public void A_kill_after_a_change_loses_nothing_and_in_the_middle_of_one_leaves_nothing_of_it()
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1));
        catalog.FileSystems.Update(Id(1), entry => entry with { OstCount = 7 });
        catalog.Change(() =>
        {
            catalog.FileSystems.Insert(Entry(2));
            catalog.FileSystems.Remove(Id(1));
            CopyTo("killed");
            return true;
        });
        CopyTo("later");

        using var killed = Open(Path.Combine(_folder.FullName, "killed"));
        Assert.Equal(7, killed.FileSystems.Find(Id(1))!.OstCount);
        Assert.Null(killed.FileSystems.Find(Id(2)));

        using var later = Open(Path.Combine(_folder.FullName, "later"));
        Assert.Null(later.FileSystems.Find(Id(1)));
        Assert.NotNull(later.FileSystems.Find(Id(2)));
    }

    [Fact]
    public void A_full_disk_is_said_and_changes_nothing()
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1));
        SetPages(catalog, 1);
        var inserted = 1;
        var refusal = Assert.Throws<ApiException>(() =>
        {
            while (inserted < 10_000)
            {
                catalog.FileSystems.Insert(Entry(inserted + 1));
                inserted++;
            }
        });
        Assert.Equal(("InternalServerError", 500), (refusal.Code, refusal.Status));
        Assert.Contains("full", refusal.Message, StringComparison.Ordinal);
        Assert.Null(catalog.FileSystems.Find(Id(inserted + 1)));

        SetPages(catalog, 1_000_000);
        catalog.FileSystems.Insert(Entry(inserted + 1));
        Assert.NotNull(catalog.FileSystems.Find(Id(inserted + 1)));
    }

    [Fact]
    public void An_exception_undoes_the_whole_change_also_where_a_part_of_it_is_caught()
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1));
        Assert.Throws<InvalidOperationException>(() => catalog.Change(() =>
        {
            catalog.FileSystems.Insert(Entry(2));
            try
            {
                catalog.FileSystems.Update(Id(1), _ => throw new InvalidOperationException("a part"));
            }
            catch (InvalidOperationException)
            {
            }
            return true;
        }));
        Assert.Null(catalog.FileSystems.Find(Id(2)));
        Assert.NotNull(catalog.FileSystems.Insert(Entry(2)));
    }

    [Fact]
    public void Two_file_systems_share_neither_id_nor_mount_name()
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1));
        Assert.Throws<InvalidOperationException>(() => catalog.FileSystems.Insert(Entry(1)));
        Assert.Throws<InvalidOperationException>(() => catalog.FileSystems.Insert(Entry(2, mountName: "name0001")));
        Assert.True(catalog.FileSystems.HasName("name0001"));
        catalog.FileSystems.Remove(Id(1));
        Assert.False(catalog.FileSystems.HasName("name0001"));
        catalog.FileSystems.Insert(Entry(2, mountName: "name0001"));
    }

    [Fact]
    public void Pages_follow_the_order_of_creation_and_survive_removals_and_insertions()
    {
        using var catalog = Open();
        for (int i = 1; i <= 5; i++)
        {
            catalog.FileSystems.Insert(Entry(i));
        }
        catalog.FileSystems.Insert(Entry(99, account: "999999999999"));
        var page = catalog.FileSystems.List(Account, limit: 3);
        Assert.Equal([Id(1), Id(2), Id(3)], page.Select(item => item.Entry.Description.FileSystemId));

        catalog.FileSystems.Remove(Id(3));
        catalog.FileSystems.Remove(Id(5));
        catalog.FileSystems.Insert(Entry(6));
        var rest = catalog.FileSystems.List(Account, after: page[2].Sequence);
        Assert.Equal([Id(4), Id(6)], rest.Select(item => item.Entry.Description.FileSystemId));
    }

    [Theory]
    [InlineData(FileSystemLifecycle.Creating, null, true)]
    [InlineData(FileSystemLifecycle.Deleting, null, true)]
    [InlineData(FileSystemLifecycle.Available, null, false)]
    [InlineData(FileSystemLifecycle.Failed, null, false)]
    [InlineData(FileSystemLifecycle.Available, ActionStatus.Pending, true)]
    [InlineData(FileSystemLifecycle.Updating, ActionStatus.InProgress, true)]
    [InlineData(FileSystemLifecycle.Available, ActionStatus.UpdatedOptimizing, true)]
    [InlineData(FileSystemLifecycle.Available, ActionStatus.Completed, false)]
    [InlineData(FileSystemLifecycle.Available, ActionStatus.Failed, false)]
    public void Unsettled_is_what_something_is_to_be_done_for(string lifecycle, string? action, bool isUnsettled)
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1, lifecycle: "AVAILABLE"));
        catalog.FileSystems.Update(Id(1), entry => entry with
        {
            Description = entry.Description with
            {
                Lifecycle = lifecycle,
                AdministrativeActions = action is null ? null : [new() { AdministrativeActionType = "FILE_SYSTEM_UPDATE", RequestTime = 1, Status = action }],
            },
        });
        Assert.Equal(isUnsettled ? [Id(1)] : [], catalog.FileSystems.Unsettled());
    }

    [Fact]
    public void Changes_are_announced_once_they_can_be_seen_and_not_at_all_when_undone()
    {
        using var catalog = Open();
        var seen = new List<string>();
        catalog.FileSystems.Changed += id => seen.Add($"{id} {catalog.FileSystems.Find(id)?.OstCount}");
        catalog.FileSystems.Insert(Entry(1));
        catalog.FileSystems.Update(Id(1), entry => entry with { OstCount = 3 });
        catalog.FileSystems.Update(Id(1), entry => entry);
        Assert.Throws<ArgumentException>(() => catalog.FileSystems.Update(Id(1), _ => throw new ArgumentException("no")));
        catalog.FileSystems.Remove(Id(1));
        Assert.Equal([$"{Id(1)} 0", $"{Id(1)} 3", $"{Id(1)} "], seen);
    }

    [Fact]
    public void Updates_of_one_resource_from_many_threads_are_all_there()
    {
        using var catalog = Open();
        catalog.FileSystems.Insert(Entry(1));
        Parallel.For(0, 40, _ => catalog.FileSystems.Update(Id(1), entry => entry with { OstCount = entry.OstCount + 1 }));
        Assert.Equal(40, catalog.FileSystems.Find(Id(1))!.OstCount);
    }

    [Fact]
    public void A_creation_token_lives_as_long_as_its_resource_and_over_restarts()
    {
        var token = new IdempotencyToken(Account, "CreateFileSystem", "token", """{"a":1,"b":2}""");
        using (var catalog = Open())
        {
            catalog.FileSystems.Insert(Entry(1));
            catalog.Tokens.AddForCreation(token, Id(1));
        }
        _time.Advance(TimeSpan.FromDays(400));
        using var again = Open();
        Assert.Equal(Id(1), again.Tokens.Find(token));
        Assert.Null(again.Tokens.Find(token with { Account = "999999999999" }));
        Assert.Null(again.Tokens.Find(token with { Operation = "CreateBackup" }));
        var refusal = Assert.Throws<ApiException>(() => again.Tokens.Find(token with { Request = """{"a":1,"b":3}""" }));
        Assert.Equal(("IncompatibleParameterError", "b"), (refusal.Code, refusal.Members["Parameter"]));
        again.FileSystems.Remove(Id(1));
        Assert.Null(again.Tokens.Find(token));
    }

    [Fact]
    public void A_token_of_a_change_is_forgotten_after_a_day()
    {
        using var catalog = Open();
        var token = new IdempotencyToken(Account, "UpdateFileSystem", "token", "{}");
        catalog.Tokens.AddForChange(token, Id(1));
        _time.Advance(IdempotencyTokens.ChangeRetention - TimeSpan.FromSeconds(1));
        Assert.Equal(Id(1), catalog.Tokens.Find(token));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(catalog.Tokens.Find(token));
        catalog.Tokens.AddForChange(token, Id(2));
        Assert.Equal(Id(2), catalog.Tokens.Find(token));
    }

    [Fact]
    public void A_catalog_of_a_newer_program_is_refused_and_left_alone()
    {
        Open().Dispose();
        Alter("PRAGMA user_version=99");
        var refusal = Assert.Throws<CatalogException>(() => Open());
        Assert.Contains("has format 99, written by a newer Nacre; this one understands up to 1", refusal.Message, StringComparison.Ordinal);
        Alter("PRAGMA user_version=1");
        Open().Dispose();
    }

    [Fact]
    public void Files_that_are_no_catalogs_are_refused()
    {
        Alter("CREATE TABLE somebody_elses(a)");
        Assert.Contains("is not a catalog of Nacre", Assert.Throws<CatalogException>(() => Open()).Message, StringComparison.Ordinal);

        string text = Path.Combine(_folder.FullName, "text");
        System.IO.File.WriteAllText(text, new string('x', 4096));
        Assert.Contains("cannot be opened as a catalog", Assert.Throws<CatalogException>(() => Open(text)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    internal static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"fs-{number:x17}");

    internal static FileSystemEntry Entry(int number, string account = Account, string? mountName = null, string lifecycle = "CREATING") => new()
    {
        Description = new FileSystem
        {
            OwnerId = account,
            CreationTime = 1603752401.183,
            FileSystemId = Id(number),
            Lifecycle = lifecycle,
            StorageCapacity = 1200,
            StorageType = "SSD",
            DNSName = "10.0.0.5",
            ResourceARN = $"arn:aws:fsx:us-east-1:{account}:file-system/{Id(number)}",
            FileSystemTypeVersion = "2.15",
            LustreConfiguration = new LustreFileSystemConfiguration
            {
                DeploymentType = "SCRATCH_2",
                MountName = mountName ?? string.Create(CultureInfo.InvariantCulture, $"name{number:d4}"),
                WeeklyMaintenanceStartTime = "1:00:00",
            },
        },
    };

    // SQLite takes the pages there are for fewer; one more than that is a full disk to it.
    private static void SetPages(ResourceCatalog catalog, int pages) =>
        catalog.Change(db => db.Integer(string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count={pages}")));

    private ResourceCatalog Open(string? file = null) => ResourceCatalog.Open(file ?? File, _time, NullLogger.Instance);

    // What a killed process leaves behind is what is in its files at that moment.
    private void CopyTo(string name)
    {
        foreach (string suffix in new[] { "", "-wal" })
        {
            System.IO.File.Copy(File + suffix, Path.Combine(_folder.FullName, name + suffix));
        }
    }

    private void Alter(string sql)
    {
        using var db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false }.ToString());
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
