using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Tests.Api;
using Nacre.Server.Node;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Auth;

public sealed class CredentialStoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-keys-");
    private readonly LogRecorder<CredentialStore> _log = new();

    private string Path => System.IO.Path.Combine(_folder.FullName, "credentials");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void FirstStartMakesOneKeyForItsOwnerAlone()
    {
        var store = CredentialStore.Open(Path, mayCreate: true, NullLoggerFactory.Instance);

        var key = Assert.Single(store.Keys).Value;
        Assert.True(store.IsNew);
        Assert.Matches("^AKIA[A-Z2-7]{16}$", key.Id);
        Assert.Matches("^[A-Za-z0-9/+]{40}$", key.Secret);
        Assert.Matches("^[1-9][0-9]{11}$", key.AccountId);
        Assert.False(key.IsReadOnly);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        var again = CredentialStore.Open(Path, mayCreate: false, NullLoggerFactory.Instance);
        Assert.False(again.IsNew);
        Assert.Equal(key, Assert.Single(again.Keys).Value);
    }

    [Fact]
    public void LinesToPasteSetUpTheToolsAndShowNoSecret()
    {
        var store = CredentialStore.Open(Path, mayCreate: true, NullLoggerFactory.Instance);
        var lines = store.ConfigureLines(new Uri("http://127.0.0.1:8988/"), "eu-central-1");
        var key = store.Keys.Values.Single();
        Assert.DoesNotContain(lines, line => line.Contains(key.Secret, StringComparison.Ordinal));

        var home = _folder.CreateSubdirectory("home").FullName;
        Shell.Run("/bin/sh", ["-c", $"export HOME={home}; unset AWS_PROFILE; {string.Join(" && ", lines).Replace("aws configure", "/usr/bin/aws configure", StringComparison.Ordinal)}"]);

        var saved = File.ReadAllText(System.IO.Path.Combine(home, ".aws/credentials"));
        Assert.Contains(key.Id, saved);
        Assert.Contains(key.Secret, saved);
        Assert.Contains("endpoint_url = http://127.0.0.1:8988", File.ReadAllText(System.IO.Path.Combine(home, ".aws/config")));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherExecute)]
    public async Task FileThatOthersMayReadIsRefused(UnixFileMode others)
    {
        await Endpoint.WriteCredentialsAsync(Path, Endpoint.Admin);
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | others);
        var refusal = Assert.Throws<NodeConfigurationException>(() => CredentialStore.Open(Path, mayCreate: true, NullLoggerFactory.Instance));
        Assert.Contains("chmod 600", refusal.Message);
    }

    [Fact]
    public async Task AllSettingsAreRead()
    {
        await WriteAsync("""
            # comment
            ; another
            [ops-1]
              aws_access_key_id=AKIAIOSFODNN7EXAMPLE
            aws_secret_access_key = a=b#c;d/e+f&0123456789
            aws_account_id = 000000000001
            read_only = true
            description = nightly report = yes

            [ops-2]
            aws_access_key_id = AKIAIOSFODNN7EXAMPL2
            aws_secret_access_key = 0123456789abcdef
            aws_account_id = 000000000002
            """);
        var store = CredentialStore.Open(Path, mayCreate: false, NullLoggerFactory.Instance);
        Assert.Equal(
            new AccessKey("ops-1", "AKIAIOSFODNN7EXAMPLE", "a=b#c;d/e+f&0123456789", "000000000001", IsReadOnly: true, "nightly report = yes"),
            store.Find("AKIAIOSFODNN7EXAMPLE"));
        Assert.Equal(
            new AccessKey("ops-2", "AKIAIOSFODNN7EXAMPL2", "0123456789abcdef", "000000000002", IsReadOnly: false), store.Find("AKIAIOSFODNN7EXAMPL2"));
        Assert.Null(store.Find("akiaiosfodnn7example"));
    }

    [Theory]
    [InlineData("", "no key")]
    [InlineData("[a]\n", "line 1")]
    [InlineData("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", "line 1")]
    [InlineData("[a]\nID\nSECRET\n", "aws_account_id")]
    [InlineData("[a]\nID\nSECRET\naws_account_id = 12345678901\n", "12 digits")]
    [InlineData("[a]\nID\nSECRET\naws_account_id = 12345678901x\n", "12 digits")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\nread_only = yes\n", "true or false")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\nregion = eu\n", "line 5")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\n0123456789SECRET0123456789\n", "line 5")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\nACCOUNT\n", "twice")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\n[a]\nID\nSECRET\nACCOUNT\n", "twice")]
    [InlineData("[a]\nID\nSECRET\nACCOUNT\n[b]\nID\nSECRET\nACCOUNT\n", "twice")]
    [InlineData("[a b]\nID\nSECRET\nACCOUNT\n", "name")]
    [InlineData("[a\nID\nSECRET\nACCOUNT\n", "name")]
    [InlineData("[]\nID\nSECRET\nACCOUNT\n", "name")]
    [InlineData("[a]\naws_access_key_id = short\nSECRET\nACCOUNT\n", "16 to 128")]
    [InlineData("[a]\nID\naws_secret_access_key = 0123456789 SECRET0123456789\nACCOUNT\n", "visible")]
    public async Task FileThatCannotBeReadIsRefusedWithoutShowingASecret(string text, string said)
    {
        await WriteAsync(text
            .Replace("\nID\n", "\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", StringComparison.Ordinal)
            .Replace("\nSECRET\n", "\naws_secret_access_key = 0123456789SECRET0123456789\n", StringComparison.Ordinal)
            .Replace("\nACCOUNT\n", "\naws_account_id = 123456789012\n", StringComparison.Ordinal)
            .Replace("\nACCOUNT\n", "\naws_account_id = 123456789012\n", StringComparison.Ordinal));
        var refusal = Assert.Throws<NodeConfigurationException>(() => CredentialStore.Open(Path, mayCreate: true, NullLoggerFactory.Instance));
        Assert.Contains(said, refusal.Message);
        Assert.DoesNotContain("SECRET", refusal.Message);
    }

    [Fact]
    public async Task ChangeIsSeenByTheNextRequest()
    {
        await using var endpoint = await Endpoint.StartAsync([new FakeOperation("DescribeFileSystems", changes: false, _ => "{}")]);
        var newcomer = new AccessKey("new", "AKIANEWCOMERNEWCOMER", "0123456789abcdef", "111111111111", IsReadOnly: false);
        Assert.Equal("UnrecognizedClientException", (await endpoint.CallAsync("DescribeFileSystems", key: newcomer)).Code);

        await Endpoint.WriteCredentialsAsync(endpoint.Credentials.Path, newcomer);

        Assert.Equal("OK", (await endpoint.CallAsync("DescribeFileSystems", key: newcomer)).Code);
        Assert.Equal("UnrecognizedClientException", (await endpoint.CallAsync("DescribeFileSystems", key: Endpoint.Admin)).Code);
    }

    [Fact]
    public async Task UnusableFileKeepsTheKeysOfBefore()
    {
        await Endpoint.WriteCredentialsAsync(Path, Endpoint.Admin);
        var store = CredentialStore.Open(Path, mayCreate: false, new RecorderFactory(_log));

        await WriteAsync("[broken\n");
        Assert.NotNull(store.Find(Endpoint.Admin.Id));
        Assert.NotNull(store.Find(Endpoint.Admin.Id));
        Assert.Single(_log.Lines, l => l.Level == LogLevel.Error);

        File.Delete(Path);
        Assert.NotNull(store.Find(Endpoint.Admin.Id));
        Assert.Equal(2, _log.Lines.Count(l => l.Level == LogLevel.Error));

        await Endpoint.WriteCredentialsAsync(Path, Endpoint.Reader);
        Assert.Null(store.Find(Endpoint.Admin.Id));
        Assert.NotNull(store.Find(Endpoint.Reader.Id));

        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.NotNull(store.Find(Endpoint.Reader.Id));
        Assert.Equal(3, _log.Lines.Count(l => l.Level == LogLevel.Error));
    }

    private async Task WriteAsync(string text)
    {
        await File.WriteAllTextAsync(Path, text);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
