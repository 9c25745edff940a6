using System.Text.Json;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Tests.Network;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>The AWS CLI and boto3 as Debian has them, unmodified.</summary>
public sealed class AwsToolsTests
{
    private static readonly Operation[] Operations =
    [
        new FakeOperation("DescribeFileSystems", changes: false, body => body.TryGetProperty("FileSystemIds", out _)
            ? throw new ApiException("FileSystemNotFound", "File system 'fs-0123456789abcdef0' does not exist.")
            : """{"FileSystems":[{"FileSystemId":"fs-0123456789abcdef0","StorageCapacity":1200,"CreationTime":1603752401.183}]}"""),
        new FakeOperation("CreateFileSystem", changes: true, body => body.GetProperty("StorageCapacity").GetInt32() == 1
            ? throw new InvalidOperationException("broken")
            : $$$"""{"FileSystem":{"FileSystemId":"fs-00000000000000001","StorageCapacity":{{{body.GetProperty("StorageCapacity")}}}}}"""),
    ];

    [Fact]
    public async Task CommandLineListsAndShowsErrors()
    {
        await using var endpoint = await StartAsync();

        var listed = await AwsAsync(endpoint, Endpoint.Admin, 0, "fsx", "describe-file-systems", "--query", "FileSystems[].FileSystemId");
        Assert.Equal(["fs-0123456789abcdef0"], JsonSerializer.Deserialize<string[]>(listed)!);
        var missing = await AwsAsync(endpoint, Endpoint.Admin, 254, "fsx", "describe-file-systems", "--file-system-ids", "fs-0123456789abcdef0");
        Assert.Contains(
            "An error occurred (FileSystemNotFound) when calling the DescribeFileSystems operation: File system 'fs-0123456789abcdef0' does not exist.",
            missing);
        var identity = await AwsAsync(endpoint, Endpoint.Reader, 0, "sts", "get-caller-identity", "--query", "Arn");
        Assert.Equal("\"arn:aws:iam::123456789012:user/reader\"", identity.Trim());
    }

    [Fact]
    public async Task CredentialsFileServesTheToolsAsItIs()
    {
        await using var endpoint = await StartAsync();
        var environment = new Dictionary<string, string>
        {
            ["AWS_SHARED_CREDENTIALS_FILE"] = endpoint.Credentials.Path,
            ["AWS_PROFILE"] = "reader",
            ["AWS_CONFIG_FILE"] = "/dev/null",
        };
        var identity = await Shell.RunAsync(
            Shell.Aws, ["--endpoint-url", endpoint.Server.Url.ToString(), "--region", "us-east-1", "sts", "get-caller-identity", "--output", "text"], environment);
        Assert.Contains("user/reader", identity);
    }

    private const string Script = """
        import boto3, sys
        from botocore.config import Config
        from botocore.exceptions import ClientError
        url, key, secret, reader, reader_secret = sys.argv[1:]
        config = Config(retries={'total_max_attempts': 1})
        def client(service, key=key, secret=secret, **more):
            return boto3.client(service, endpoint_url=url, region_name='eu-central-1', config=config,
                                aws_access_key_id=key, aws_secret_access_key=secret, **more)
        def code(call, *arguments, **more):
            try:
                call(*arguments, **more)
                return 'OK'
            except ClientError as e:
                assert e.response['ResponseMetadata']['RequestId'], e.response
                return '%s %d' % (e.response['Error']['Code'], e.response['ResponseMetadata']['HTTPStatusCode'])
        fsx = client('fsx')
        order = dict(FileSystemType='LUSTRE', StorageCapacity=1200, SubnetIds=['subnet-12345678'])
        made = fsx.create_file_system(**order)['FileSystem']
        assert made == {'FileSystemId': 'fs-00000000000000001', 'StorageCapacity': 1200}, made
        seen = [f for page in fsx.get_paginator('describe_file_systems').paginate() for f in page['FileSystems']]
        assert seen[0]['CreationTime'].timestamp() == 1603752401.183, seen
        try:
            fsx.describe_file_systems(FileSystemIds=['fs-0123456789abcdef0'])
            assert False
        except fsx.exceptions.FileSystemNotFound as e:
            assert 'does not exist' in e.response['Message'], e.response
        print(code(fsx.create_file_system, **dict(order, StorageCapacity=1)))
        print(code(client('fsx', reader, reader_secret).create_file_system, **order))
        print(code(client('fsx', secret='wrong').describe_file_systems))
        print(code(client('fsx', 'AKIAUNKNOWNUNKNOWN00').describe_file_systems))
        print(code(client('fsx', aws_session_token='token').describe_file_systems))
        print(code(fsx.describe_backups))
        ec2 = client('ec2')
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=['eni-00000000000000003'])['NetworkInterfaces']
        assert found[0]['PrivateIpAddress'] == '10.0.0.4' and found[0]['VpcId'] == 'vpc-00000000', found
        assert [g['GroupId'] for g in found[0]['Groups']] == ['sg-00000001', 'sg-00000002'], found
        pages = ec2.get_paginator('describe_network_interfaces').paginate(
            Filters=[{'Name': 'vpc-id', 'Values': ['vpc-00000001']}], PaginationConfig={'PageSize': 5})
        assert sum(len(p['NetworkInterfaces']) for p in pages) == 6
        print(code(ec2.describe_network_interfaces, NetworkInterfaceIds=['eni-0000000000000ffff']))
        print(code(ec2.describe_instances))
        print(code(client('ec2', secret='wrong').describe_network_interfaces))
        sts = client('sts')
        assert sts.get_caller_identity()['Account'] == '123456789012'
        print(code(sts.get_session_token))
        print(code(client('sts', secret='wrong').get_caller_identity))
        """;

    [Fact]
    public async Task Boto3GetsAnswersAndTypedErrors()
    {
        await using var endpoint = await StartAsync();

        var output = await Shell.RunAsync(Shell.Python, [
            "-c", Script, endpoint.Server.Url.ToString(), Endpoint.Admin.Id, Endpoint.Admin.Secret, Endpoint.Reader.Id, Endpoint.Reader.Secret,
        ]);

        Assert.Equal(
            [
                "InternalFailure 500",
                "AccessDeniedException 400",
                "InvalidSignatureException 400",
                "UnrecognizedClientException 400",
                "UnrecognizedClientException 400",
                "UnknownOperationException 404",
                "InvalidNetworkInterfaceID.NotFound 400",
                "InvalidAction 400",
                "AuthFailure 401",
                "InvalidAction 400",
                "SignatureDoesNotMatch 403",
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static Task<Endpoint> StartAsync() =>
        Endpoint.StartAsync(Operations, options => options with { NetworkInterfaces = new NetworkInterfaceTests.Interfaces() });

    private static Task<string> AwsAsync(Endpoint endpoint, AccessKey key, int exitCode, params string[] arguments) => Shell.RunAsync(
        Shell.Aws,
        ["--endpoint-url", endpoint.Server.Url.ToString(), "--region", "us-east-1", "--output", "json", .. arguments],
        new Dictionary<string, string>
        {
            ["AWS_ACCESS_KEY_ID"] = key.Id,
            ["AWS_SECRET_ACCESS_KEY"] = key.Secret,
            ["AWS_CONFIG_FILE"] = "/dev/null",
            ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null",
            ["AWS_PAGER"] = "",
        },
        exitCode);
}
