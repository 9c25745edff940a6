using System.Globalization;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Network;

/// <summary>EC2, as far as tools look up the addresses of a file system's servers: DescribeNetworkInterfaces.</summary>
internal sealed class Ec2Service(INetworkInterfaces interfaces) : Service
{
    /// <summary>What EC2 gives in one answer at most.</summary>
    private const int MaxPage = 1000;

    /// <inheritdoc/>
    public override string SigningName => "ec2";

    /// <inheritdoc/>
    public override string ContentType => "text/xml;charset=UTF-8";

    /// <inheritdoc/>
    public override string OperationOf(SignedRequest request) => new QueryRequest(request).Action;

    /// <inheritdoc/>
    public override ValueTask<byte[]> RunAsync(SignedRequest request, Call call, CallTokens tokens)
    {
        if (call.Operation != "DescribeNetworkInterfaces")
            throw new ApiException("InvalidAction", "The action is not valid for this web service: it has DescribeNetworkInterfaces alone.");
        var query = new QueryRequest(request);
        if (query["DryRun"] == "true") throw new ApiException("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
        var ids = query.List("NetworkInterfaceId");
        call.ResourceId = ids.Count == 1 ? ids[0] : null;
        var found = Select(ids, query, call.Key!.AccountId);
        var (page, next) = Page(found, ids.Count > 0, query);
        return new ValueTask<byte[]>(Ec2Xml.Interfaces(page, next, call.RequestId));
    }

    /// <inheritdoc/>
    public override byte[] WriteError(ApiException error, string requestId) => Ec2Xml.Error(error, requestId);

    /// <inheritdoc/>
    public override ApiException Translate(AuthenticationException refusal) => AuthenticationErrors.Ec2(refusal);

    /// <returns>In the order of their ids, which pages go by.</returns>
    private List<NetworkInterface> Select(IReadOnlyList<string> ids, QueryRequest query, string accountId)
    {
        var filters = InterfaceFilter.ReadAll(query);
        foreach (var id in ids)
        {
            if (!InterfaceFilter.IsId(id)) throw new ApiException("InvalidNetworkInterfaceId.Malformed", $"Invalid id: \"{id}\" (expecting \"eni-...\")");
        }

        var all = interfaces.List(accountId).Where(i => i.OwnerId == accountId).OrderBy(i => i.Id, StringComparer.Ordinal).ToList();
        var known = all.Select(i => i.Id).ToHashSet();
        if (ids.FirstOrDefault(id => !known.Contains(id)) is { } missing)
            throw new ApiException("InvalidNetworkInterfaceID.NotFound", $"The networkInterface ID '{missing}' does not exist");
        var wanted = ids.Count == 0 ? known : [.. ids];
        return all.FindAll(i => wanted.Contains(i.Id) && filters.TrueForAll(f => f.Matches(i)));
    }

    private static (IReadOnlyList<NetworkInterface> Page, string? Next) Page(List<NetworkInterface> found, bool isByIds, QueryRequest query)
    {
        var size = MaxPage;
        if (query["MaxResults"] is { } text)
        {
            if (isByIds)
                throw new ApiException("InvalidParameterCombination", "The parameter NetworkInterfaceIds cannot be used with the parameter MaxResults");
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 5 or > MaxPage)
                throw new ApiException("InvalidParameterValue", "Value for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
        }

        // A token is the id after which the page begins: one that has gone meanwhile does not matter.
        var after = query["NextToken"] ?? "";
        if (after.Length > 0 && !InterfaceFilter.IsId(after)) throw new ApiException("InvalidNextToken", "The token is invalid.");
        var rest = found.FindAll(i => string.CompareOrdinal(i.Id, after) > 0);
        return rest.Count <= size ? (rest, null) : (rest[..size], rest[size - 1].Id);
    }
}
