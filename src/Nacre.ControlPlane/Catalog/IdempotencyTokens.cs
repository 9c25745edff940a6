using System.Text.Json.Nodes;
using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Catalog;

/// <param name="Account">With the operation, the scope of the token.</param>
/// <param name="Token">As the client sent it.</param>
/// <param name="Request">The request without its token, as canonical JSON: equal requests have equal texts.</param>
public sealed record IdempotencyToken(string Account, string Operation, string Token, string Request);

/// <summary>
/// Remembers which request made which resource, so that a repeated request changes nothing. A token goes with its resource; one that stands for a
/// change of a resource that was there before goes after <see cref="ChangeRetention"/> too, or they would pile up.
/// </summary>
public sealed class IdempotencyTokens
{
    public static readonly TimeSpan ChangeRetention = TimeSpan.FromDays(1);

    private readonly ResourceCatalog _catalog;
    private readonly TimeProvider _time;

    internal IdempotencyTokens(ResourceCatalog catalog, TimeProvider time)
    {
        _catalog = catalog;
        _time = time;
    }

    /// <summary>The id of the resource that an earlier request with the token is about; null where there was none.</summary>
    /// <exception cref="ApiException">IncompatibleParameterError: the earlier request had other parameters.</exception>
    public string? Find(IdempotencyToken token)
    {
        var earlier = _catalog.Read(db => db.Rows(
            row => (Request: row.GetString(0), Resource: row.GetString(1)),
            "SELECT request, resource FROM token WHERE account = ?1 AND operation = ?2 AND token = ?3 AND (kept_until IS NULL OR kept_until > ?4)",
            token.Account, token.Operation, token.Token, Now()));
        if (earlier.Count == 0)
        {
            return null;
        }
        if (earlier[0].Request != token.Request)
        {
            throw Incompatible(token, DifferingMember(earlier[0].Request, token.Request));
        }
        return earlier[0].Resource;
    }

    /// <summary>Inside of the change that makes the resource.</summary>
    public void AddForCreation(IdempotencyToken token, string resource) => Add(token, resource, null);

    /// <summary>Inside of the change that changes the resource.</summary>
    public void AddForChange(IdempotencyToken token, string resource) => Add(token, resource, Now() + (long)ChangeRetention.TotalSeconds);

    private void Add(IdempotencyToken token, string resource, long? keptUntil) => _catalog.Change(db =>
    {
        db.Run("DELETE FROM token WHERE kept_until <= ?1", Now());
        return db.Run(
            "INSERT INTO token VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            token.Account, token.Operation, token.Token, token.Request, resource, keptUntil);
    });

    private long Now() => _time.GetUtcNow().ToUnixTimeSeconds();

    private static ApiException Incompatible(IdempotencyToken token, string parameter) => new(
        "IncompatibleParameterError",
        $"The client request token has been used for an earlier {token.Operation} request with another value of '{parameter}'.")
    {
        Members = new Dictionary<string, string> { ["Parameter"] = parameter },
    };

    private static string DifferingMember(string earlier, string later)
    {
        var one = JsonNode.Parse(earlier) as JsonObject ?? [];
        var other = JsonNode.Parse(later) as JsonObject ?? [];
        return one.Select(member => member.Key).Union(other.Select(member => member.Key))
            .First(name => !JsonNode.DeepEquals(one[name], other[name]));
    }
}
