using Nacre.Cli.Fs;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Tests.Fs;

public sealed class AwsProfileTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public AwsProfileTests() => File.WriteAllText(_file, """
        # a comment
        [first]
        aws_access_key_id = AKIAFIRST
        aws_secret_access_key=secret/with=signs

        [profile second]
        region = eu-west-1
        ; another comment
        endpoint_url = http://127.0.0.1:1
        [third]
        aws_access_key_id = AKIATHIRD
        """);

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Settings_of_a_profile_are_read_from_both_kinds_of_file()
    {
        Assert.Equal("secret/with=signs", AwsProfile.Read(_file, "first")!["aws_secret_access_key"]);
        var second = AwsProfile.Read(_file, "second")!;
        Assert.Equal(("eu-west-1", "http://127.0.0.1:1"), (second["region"], second["endpoint_url"]));
        Assert.DoesNotContain("aws_access_key_id", second.Keys);
        Assert.Null(AwsProfile.Read(_file, "none"));
        Assert.Null(AwsProfile.Read(_file + ".not", "first"));
    }

    [Fact]
    public void The_first_key_of_a_file_is_taken_where_none_is_named()
    {
        Assert.Equal(new AwsCredentials("AKIAFIRST", "secret/with=signs"), Connection.KeyIn(_file));
        var refused = Assert.Throws<FsxException>(() => Connection.KeyIn(_file, "third"));
        Assert.Contains("there is no key 'third'", refused.Message, StringComparison.Ordinal);
    }
}
