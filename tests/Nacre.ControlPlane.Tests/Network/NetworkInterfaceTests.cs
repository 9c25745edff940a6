using System.Net;
using System.Xml.Linq;
using Nacre.ControlPlane.Network;
using Nacre.ControlPlane.Tests.Api;

namespace Nacre.ControlPlane.Tests.Network;

/// <summary>DescribeNetworkInterfaces of EC2, and GetCallerIdentity of STS.</summary>
public sealed class NetworkInterfaceTests
{
    private static readonly XNamespace Ec2 = "http://ec2.amazonaws.com/doc/2016-11-15/";

    [Fact]
    public async Task AllOfTheAccountAreDescribed()
    {
        var answer = await AskAsync("");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var items = Items(answer);
        Assert.Equal(Enumerable.Range(0, 12).Select(Id), items.Select(i => Text(i, "networkInterfaceId")));
        var first = items[0];
        Assert.Equal("10.0.0.1", Text(first, "privateIpAddress"));
        Assert.Equal("02:00:00:00:00:00", Text(first, "macAddress"));
        Assert.Equal("vpc-00000000", Text(first, "vpcId"));
        Assert.Equal("subnet-00000000", Text(first, "subnetId"));
        Assert.Equal("fsx fs-0 <&>", Text(first, "description"));
        Assert.Equal("in-use", Text(first, "status"));
        Assert.Equal(["sg-00000001", "sg-00000002"], first.Element(Ec2 + "groupSet")!.Elements().Select(g => Text(g, "groupId")));
    }

    [Theory]
    [InlineData("NetworkInterfaceId.1=eni-00000000000000003", "3")]
    [InlineData("NetworkInterfaceId.1=eni-00000000000000003&NetworkInterfaceId.2=eni-00000000000000001", "1 3")]
    [InlineData("Filter.1.Name=network-interface-id&Filter.1.Value.1=eni-00000000000000004&Filter.1.Value.2=eni-00000000000000002", "2 4")]
    [InlineData("Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-00000001", "6 7 8 9 10 11")]
    [InlineData("Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-00000001&Filter.2.Name=subnet-id&Filter.2.Value.1=subnet-00000002", "8 9 10 11")]
    [InlineData("Filter.1.Name=private-ip-address&Filter.1.Value.1=10.0.0.1*", "0 9 10 11")]
    [InlineData("Filter.1.Name=private-ip-address&Filter.1.Value.1=10.0.0.?", "0 1 2 3 4 5 6 7 8")]
    [InlineData("Filter.1.Name=group-id&Filter.1.Value.1=sg-00000002&NetworkInterfaceId.1=eni-00000000000000003", "3")]
    [InlineData("Filter.1.Name=group-id&Filter.1.Value.1=sg-99999999", "")]
    public async Task IdsAndFiltersSelect(string parameters, string expected)
    {
        var numbers = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
        Assert.Equal(numbers.Select(Id), Items(await AskAsync(parameters)).Select(i => Text(i, "networkInterfaceId")));
    }

    [Theory]
    [InlineData("NetworkInterfaceId.1=eni-0000000000000ffff", "InvalidNetworkInterfaceID.NotFound")]
    [InlineData("NetworkInterfaceId.1=eni-00000000000000100", "InvalidNetworkInterfaceID.NotFound")]
    [InlineData("NetworkInterfaceId.1=vpc-00000000", "InvalidNetworkInterfaceId.Malformed")]
    [InlineData("NetworkInterfaceId.1=eni-XYZ", "InvalidNetworkInterfaceId.Malformed")]
    [InlineData("NetworkInterfaceId.1=%00%3C%26", "InvalidNetworkInterfaceId.Malformed")]
    [InlineData("Filter.1.Name=colour&Filter.1.Value.1=red", "InvalidParameterValue")]
    [InlineData("Filter.1.Name=vpc-id", "InvalidParameterValue")]
    [InlineData("MaxResults=4", "InvalidParameterValue")]
    [InlineData("MaxResults=1001", "InvalidParameterValue")]
    [InlineData("MaxResults=many", "InvalidParameterValue")]
    [InlineData("MaxResults=5&NetworkInterfaceId.1=eni-00000000000000003", "InvalidParameterCombination")]
    [InlineData("NextToken=nonsense", "InvalidNextToken")]
    [InlineData("MaxResults=5&MaxResults=6", "MalformedQueryString")]
    public async Task WrongParameterIsRefused(string parameters, string code)
    {
        var answer = await AskAsync(parameters);
        Assert.InRange((int)answer.Status, 400, 499);
        Assert.Equal(code, XDocument.Parse(answer.Body).Root!.Element("Errors")!.Element("Error")!.Element("Code")!.Value);
        Assert.Equal(answer.RequestId, XDocument.Parse(answer.Body).Root!.Element("RequestID")!.Value);
    }

    [Fact]
    public async Task PagesHoldAllOnce()
    {
        var (found, token) = (new List<string>(), "");
        do
        {
            var answer = await AskAsync($"MaxResults=5{(token.Length > 0 ? $"&NextToken={Uri.EscapeDataString(token)}" : "")}");
            found.AddRange(Items(answer).Select(i => Text(i, "networkInterfaceId")));
            token = XDocument.Parse(answer.Body).Root!.Element(Ec2 + "nextToken")?.Value ?? "";
        }
        while (token.Length > 0);
        Assert.Equal(Enumerable.Range(0, 12).Select(Id), found);
    }

    [Theory]
    [InlineData("ec2", "RunInstances")]
    [InlineData("ec2", "")]
    [InlineData("sts", "AssumeRole")]
    [InlineData("sts", "<script>")]
    public async Task OtherActionsAreInvalid(string service, string action)
    {
        await using var endpoint = await StartAsync();
        var answer = await endpoint.SendAsync(endpoint.Form($"Action={Uri.EscapeDataString(action)}&Version=2016-11-15"), Endpoint.Admin, service);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("<Code>InvalidAction</Code>", answer.Body);
    }

    [Theory]
    [InlineData("ec2", HttpStatusCode.Unauthorized, "AuthFailure")]
    [InlineData("sts", HttpStatusCode.Forbidden, "InvalidClientTokenId")]
    public async Task UnknownKeyIsRefusedInTheWordsOfTheService(string service, HttpStatusCode status, string code)
    {
        await using var endpoint = await StartAsync();
        var answer = await endpoint.SendAsync(
            endpoint.Form("Action=GetCallerIdentity&Version=2011-06-15"), Endpoint.Admin with { Id = "AKIAUNKNOWNUNKNOWN00" }, service);
        Assert.Equal(status, answer.Status);
        Assert.Contains($"<Code>{code}</Code>", answer.Body);
    }

    [Fact]
    public async Task ReaderIsToldWhoItIs()
    {
        await using var endpoint = await StartAsync();
        XNamespace sts = "https://sts.amazonaws.com/doc/2011-06-15/";
        var answer = await endpoint.SendAsync(endpoint.Form("Action=GetCallerIdentity&Version=2011-06-15"), Endpoint.Reader, "sts");
        var result = XDocument.Parse(answer.Body).Root!.Element(sts + "GetCallerIdentityResult")!;
        Assert.Equal("arn:aws:iam::123456789012:user/reader", result.Element(sts + "Arn")!.Value);
        Assert.Equal(Endpoint.AccountId, result.Element(sts + "Account")!.Value);
    }

    private static string Id(int number) => $"eni-{number:x17}";

    private static string Text(XElement element, string name) => element.Element(Ec2 + name)!.Value;

    private static List<XElement> Items(Answer answer) =>
        [.. XDocument.Parse(answer.Body).Root!.Element(Ec2 + "networkInterfaceSet")!.Elements()];

    private static async Task<Answer> AskAsync(string parameters)
    {
        await using var endpoint = await StartAsync();
        return await endpoint.SendAsync(
            endpoint.Form($"Action=DescribeNetworkInterfaces&Version=2016-11-15{(parameters.Length > 0 ? "&" : "")}{parameters}"), Endpoint.Admin, "ec2");
    }

    private static Task<Endpoint> StartAsync() => Endpoint.StartAsync(change: options => options with { NetworkInterfaces = new Interfaces() });

    /// <summary>Twelve of the account, out of order, and one of another.</summary>
    internal sealed class Interfaces : INetworkInterfaces
    {
        private static readonly string[] Groups = ["sg-00000001", "sg-00000002"];

        private readonly NetworkInterface[] _all =
        [
            .. Enumerable.Range(0, 12).Reverse().Select(i => new NetworkInterface(
                Id(i), $"10.0.0.{i + 1}", $"02:00:00:00:00:{i:x2}", $"vpc-{i / 6:d8}", $"subnet-{i / 4:d8}", Groups, $"fsx fs-{i} <&>", Endpoint.AccountId)),
            new(Id(0x100), "10.0.1.1", "02:00:00:00:01:00", "vpc-00000000", "subnet-00000000", [], "", "999999999999"),
        ];

        public IReadOnlyCollection<NetworkInterface> List(string accountId) => _all;
    }
}
