using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Audit;
using Nacre.ControlPlane.Tests.Api;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Audit;

public sealed class AuditLogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-audit-");
    private readonly LogRecorder<AuditLog> _log = new();

    private string Current => Path.Combine(_folder.FullName, "audit.jsonl");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task CallLeavesWhoWhatAndHowItEnded()
    {
        var create = new FakeOperation("CreateFileSystem", changes: true, _ => """{"FileSystem":{"FileSystemId":"fs-0123456789abcdef0"}}""");
        var describe = new FakeOperation("DescribeFileSystems", changes: false, _ => throw new ApiException("FileSystemNotFound", "Not there."));
        await using var endpoint = await Endpoint.StartAsync([create, describe]);
        var made = await endpoint.CallAsync("CreateFileSystem", """{"Tags":[{"Key":"password","Value":"hunter2"}]}""");
        await endpoint.CallAsync("DescribeFileSystems", """{"FileSystemIds":["fs-00000000000000000"]}""", Endpoint.Reader);
        await endpoint.CallAsync("CreateFileSystem", key: Endpoint.Reader);
        await endpoint.CallAsync("CreateFileSystem", key: Endpoint.Admin with { Secret = "0123456789abcdef" });

        var lines = await endpoint.AuditAsync();

        Assert.Equal(
            [
                "123456789012 AKIAIOSFODNN7EXAMPLE 127.0.0.1 fsx CreateFileSystem fs-0123456789abcdef0 OK 200",
                "123456789012 AKIAREADREADREADREAD 127.0.0.1 fsx DescribeFileSystems fs-00000000000000000 FileSystemNotFound 400",
                "123456789012 AKIAREADREADREADREAD 127.0.0.1 fsx CreateFileSystem - AccessDeniedException 400",
                "- AKIAIOSFODNN7EXAMPLE 127.0.0.1 fsx CreateFileSystem - InvalidSignatureException 400",
            ],
            lines.Select(l => string.Join(' ', new[] { "account", "accessKeyId", "source", "service", "operation", "resource", "outcome", "status" }
                .Select(name => l.TryGetProperty(name, out var value) ? value.ToString() : "-"))));
        Assert.Equal(made.RequestId, lines[0].GetProperty("requestId").GetString());
        Assert.All(lines, l => Assert.True(l.GetProperty("milliseconds").GetDouble() >= 0));
        Assert.All(lines, l => Assert.EndsWith("Z", l.GetProperty("time").GetString(), StringComparison.Ordinal));
        var text = await File.ReadAllTextAsync(Path.Combine(endpoint.AuditFolder, "audit.jsonl"));
        Assert.DoesNotContain("hunter2", text);
        Assert.DoesNotContain(Endpoint.Admin.Secret, text);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(endpoint.AuditFolder, "audit.jsonl")));
    }

    [Fact]
    public async Task LineIsThereWhenTheCallIsAnswered()
    {
        await using var endpoint = await Endpoint.StartAsync([new FakeOperation("DescribeFileSystems", changes: false, _ => "{}")]);
        for (var i = 1; i <= 20; i++)
        {
            await endpoint.CallAsync("DescribeFileSystems");
            Assert.Equal(i, (await File.ReadAllLinesAsync(Path.Combine(endpoint.AuditFolder, "audit.jsonl"))).Length);
        }
    }

    [Fact]
    public async Task WhatACallerChoosesStaysOnOneShortLine()
    {
        await using var endpoint = await Endpoint.StartAsync();
        await endpoint.CallAsync("Create\"},{\\" + new string('x', 5000));
        var line = Assert.Single(await endpoint.AuditAsync());
        Assert.StartsWith("Create\"},{\\xxx", line.GetProperty("operation").GetString(), StringComparison.Ordinal);
        Assert.True(line.GetRawText().Length < 1000);
    }

    [Fact]
    public async Task FullFileIsPutAsideAndTheOldestAreRemoved()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
        var options = new AuditOptions(_folder.FullName) { MaxFileBytes = 2000, MaxOldFiles = 3 };
        await using (var audit = new AuditLog(options, time, NullLoggerFactory.Instance))
        {
            for (var i = 0; i < 100; i++) await audit.WriteAsync(Record($"Operation{i}"));
        }

        var files = _folder.GetFiles().OrderBy(f => f.Name, StringComparer.Ordinal).ToArray();
        Assert.Equal(4, files.Length);
        Assert.All(files, f => Assert.InRange(f.Length, 1, 2000));
        // The newest lines, without a gap.
        var kept = files.OrderBy(f => f.Name == "audit.jsonl").SelectMany(f => File.ReadLines(f.FullName)).Select(Operation).ToArray();
        Assert.Equal(Enumerable.Range(100 - kept.Length, kept.Length).Select(i => $"Operation{i}"), kept);
    }

    [Fact]
    public async Task TornLineOfAKilledProcessEndsThere()
    {
        await File.WriteAllTextAsync(Current, "{\"time\":\"2026");
        await using (var audit = new AuditLog(new AuditOptions(_folder.FullName), TimeProvider.System, NullLoggerFactory.Instance))
        {
            await audit.WriteAsync(Record("A"));
            await audit.WriteAsync(Record("B"));
        }

        var lines = await File.ReadAllLinesAsync(Current);
        Assert.Equal("{\"time\":\"2026", lines[0]);
        Assert.Equal(["A", "B"], lines.Skip(1).Select(Operation));
    }

    [Fact]
    public async Task FullDiskFailsNoCallAndIsSaidOnceAndCounted()
    {
        File.CreateSymbolicLink(Current, "/dev/full");
        await using (var audit = new AuditLog(new AuditOptions(_folder.FullName), TimeProvider.System, new RecorderFactory(_log)))
        {
            for (var i = 0; i < 5; i++) await audit.WriteAsync(Record($"Lost{i}"));
            Assert.Single(_log.Lines, l => l.Level == LogLevel.Error);

            File.Delete(Current);
            await audit.WriteAsync(Record("Written"));
        }

        var lines = (await File.ReadAllLinesAsync(Current)).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(5, lines[0].GetProperty("lost").GetInt32());
        Assert.Equal("Written", lines[1].GetProperty("operation").GetString());
        Assert.Equal(2, lines.Length);
        Assert.Single(_log.Lines, l => l.Level == LogLevel.Warning);
    }

    [Fact]
    public async Task DiskThatHangsHoldsUpNoCall()
    {
        // A pipe that nobody reads: the first writes fill it, the others hang.
        Shell.Run("/usr/bin/mkfifo", [Current]);
        var options = new AuditOptions(_folder.FullName) { MaxWait = TimeSpan.FromMilliseconds(1) };
        var audit = new AuditLog(options, TimeProvider.System, NullLoggerFactory.Instance);
        for (var i = 0; i < 10_000; i++) await audit.WriteAsync(Record("Hangs")).AsTask().Within();

        using (var reader = new FileStream(Current, FileMode.Open, FileAccess.Read))
        {
            var closing = audit.DisposeAsync().AsTask();
            var buffer = new byte[64 << 10];
            while (!closing.IsCompleted) _ = await reader.ReadAsync(buffer).AsTask().Within();
            await closing.Within();
        }
    }

    [Fact]
    public async Task FailedAuthenticationsLeaveTenLinesAMinute()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
        await using (var audit = new AuditLog(new AuditOptions(_folder.FullName), time, NullLoggerFactory.Instance))
        {
            for (var i = 0; i < 1000; i++) await audit.WriteFailedAuthenticationAsync(Record("Guess"));
            time.Advance(TimeSpan.FromMinutes(1));
            await audit.WriteFailedAuthenticationAsync(Record("Guess"));
            await audit.WriteAsync(Record("Call"));
        }

        var lines = (await File.ReadAllLinesAsync(Current)).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(12, lines.Length);
        Assert.Equal(990, lines[10].GetProperty("suppressed").GetInt32());
    }

    private static string? Operation(string line) => JsonDocument.Parse(line).RootElement.GetProperty("operation").GetString();

    private static AuditRecord Record(string operation) => new()
    {
        Time = DateTimeOffset.UnixEpoch,
        RequestId = "00000000-0000-0000-0000-000000000000",
        AccountId = "123456789012",
        AccessKeyId = "AKIAIOSFODNN7EXAMPLE",
        Source = "127.0.0.1",
        Service = "fsx",
        Operation = operation,
        Outcome = "OK",
        Status = 200,
        Duration = TimeSpan.FromMilliseconds(1),
    };
}
