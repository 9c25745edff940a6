using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;

namespace Nacre.ControlPlane.Operations;

/// <param name="NextToken">Null on the last page.</param>
internal sealed record Page<TEntry>(IReadOnlyList<TEntry> Entries, string? NextToken);

/// <summary>What a Describe operation lists: either the named resources or all of the account, page by page.</summary>
/// <param name="Operation">With account, ids and filter it names the listing for the page tokens.</param>
/// <param name="Ids">As sent; null or empty for all.</param>
/// <param name="Filter">Canonical text of the filters.</param>
internal sealed record ListingRequest(
    string Operation, CallContext Context, IReadOnlyList<string?>? Ids, int? MaxResults, string? NextToken, string Filter = "");

/// <summary>Lists resources of one kind for Describe operations, in the order they were made.</summary>
/// <param name="notFound">The refusal for an id that does not exist.</param>
internal sealed class Listing<TEntry>(
    ResourceCatalog catalog, ResourceTable<TEntry> table, Func<TEntry, string> owner, Func<string, ApiException> notFound)
    where TEntry : class
{
    /// <summary>Bound of a page; a larger MaxResults is cut to it, as FSx does.</summary>
    public const int MaxPage = 100;

    private readonly PageTokens _tokens = new(catalog.PageKey);

    /// <param name="matches">Which of the resources are wanted.</param>
    /// <exception cref="ApiException">An id does not exist, or the token is none of this listing.</exception>
    public Page<TEntry> Read(ListingRequest request, Func<TEntry, bool> matches)
    {
        string listing = $"{request.Operation}\n{request.Context.AccountId}\n{string.Join(',', request.Ids ?? [])}\n{request.Filter}";
        long position = _tokens.Read(listing, request.NextToken);
        int limit = Math.Min(request.MaxResults ?? MaxPage, MaxPage);
        var found = request.Ids is { Count: > 0 } ids
            ? Named(ids, request.Context.AccountId, position)
            : All(request.Context.AccountId, position);
        var wanted = found.Where(item => matches(item.Entry)).Take(limit + 1).ToList();
        bool isLast = wanted.Count <= limit;
        return new Page<TEntry>(
            [.. wanted.Take(limit).Select(item => item.Entry)],
            isLast ? null : _tokens.Write(listing, wanted[limit - 1].Sequence));
    }

    // Positions are those in the list of ids. All ids have to exist, also those of other pages.
    private List<Sequenced<TEntry>> Named(IReadOnlyList<string?> ids, string account, long position) =>
        [.. ids.Distinct().Select((id, index) => new Sequenced<TEntry>(index + 1, Find(id!, account))).Where(item => item.Sequence > position)];

    private TEntry Find(string id, string account) =>
        table.Find(id) is { } entry && owner(entry) == account ? entry : throw notFound(id);

    private IEnumerable<Sequenced<TEntry>> All(string account, long position)
    {
        while (table.List(account, position, MaxPage + 1) is { Count: > 0 } batch)
        {
            foreach (var item in batch)
            {
                yield return item;
            }
            position = batch[^1].Sequence;
        }
    }
}
