using System.Text;
using System.Text.Unicode;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Network;

/// <summary>The parameters of a call in AWS's query protocol: a form in the body, or in the URL of a GET.</summary>
internal sealed class QueryRequest
{
    /// <summary>EC2 takes 1000 ids, and 200 values of filters.</summary>
    private const int MaxParameters = 2048;

    private readonly Dictionary<string, string> _parameters = [];

    /// <exception cref="ApiException">It is no form, or has a parameter twice.</exception>
    public QueryRequest(SignedRequest request)
    {
        if (!Utf8.IsValid(request.Body.Span)) throw Malformed();
        var form = request.Method == "GET" ? request.Query : Encoding.UTF8.GetString(request.Body.Span);
        foreach (var parameter in form.Split('&', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = parameter.IndexOf('=');
            var (name, value) = equals < 0 ? (parameter, "") : (parameter[..equals], parameter[(equals + 1)..]);
            if (_parameters.Count == MaxParameters || !_parameters.TryAdd(Decoded(name), Decoded(value))) throw Malformed();
        }
    }

    public string Action => this["Action"] ?? "";

    public string? this[string name] => _parameters.GetValueOrDefault(name);

    /// <summary>Values of <c>NAME.1</c>, <c>NAME.2</c> and so on.</summary>
    public IReadOnlyList<string> List(string name)
    {
        var values = new List<string>();
        while (this[$"{name}.{values.Count + 1}"] is { } value) values.Add(value);
        return values;
    }

    private static string Decoded(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static ApiException Malformed() => new("MalformedQueryString", "The query string contains a syntax error.", 404);
}
