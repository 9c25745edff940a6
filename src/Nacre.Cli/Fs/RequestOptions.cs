using System.CommandLine;
using System.Text.Json.Nodes;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;

namespace Nacre.Cli.Fs;

/// <summary>Options that become members of a request: those given, and no others. What they may be is the API's affair.</summary>
internal sealed class RequestOptions
{
    private readonly List<(Option Option, Action<ParseResult, JsonObject> Put)> _options = [];

    public IEnumerable<Option> All => _options.Select(entry => entry.Option);

    /// <param name="path">Member of the request; with a slash, one of an object in it.</param>
    public RequestOptions Text(string name, string path, string description, string help, string? otherwise = null)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = help };
        if (otherwise is not null)
        {
            option.DefaultValueFactory = _ => otherwise;
        }

        return Add(option, (parsed, request) => Put(request, path, parsed.GetValue(option) is { } value ? JsonValue.Create(value) : null));
    }

    public RequestOptions Number(string name, string path, string description, string help, int? otherwise = null)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = help };
        if (otherwise is not null)
        {
            option.DefaultValueFactory = _ => otherwise;
        }

        return Add(option, (parsed, request) => Put(request, path, parsed.GetValue(option) is { } value ? JsonValue.Create(value) : null));
    }

    /// <summary>May be repeated.</summary>
    public RequestOptions Texts(string name, string path, string description, string help, params string[] otherwise)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = help, DefaultValueFactory = _ => otherwise };
        return Add(option, (parsed, request) =>
            Put(request, path, parsed.GetValue(option) is { Length: > 0 } values ? new JsonArray([.. values.Select(value => (JsonNode)value)]) : null));
    }

    /// <summary><c>--tag KEY=VALUE</c>, may be repeated.</summary>
    public RequestOptions Tags()
    {
        var option = new Option<string[]>("--tag") { Description = "A tag; may be repeated.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };
        return Add(option, (parsed, request) =>
            Put(request, "Tags", parsed.GetValue(option) is { Length: > 0 } values ? new JsonArray([.. values.Select(ParseTag).Select(FsxClient.ToJson)]) : null));
    }

    public JsonObject Request(ParseResult parsed)
    {
        var request = new JsonObject();
        foreach (var (_, put) in _options)
        {
            put(parsed, request);
        }

        return request;
    }

    /// <exception cref="FsxException">There is no <c>=</c>.</exception>
    public static Tag ParseTag(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
        ? new Tag(text[..equals], text[(equals + 1)..])
        : throw new FsxException(null, $"'{text}' is no tag: KEY=VALUE is needed");

    private static void Put(JsonObject request, string path, JsonNode? value)
    {
        if (value is null)
        {
            return;
        }

        var names = path.Split('/');
        foreach (var name in names[..^1])
        {
            request[name] ??= new JsonObject();
            request = request[name]!.AsObject();
        }

        request[names[^1]] = value;
    }

    private RequestOptions Add(Option option, Action<ParseResult, JsonObject> put)
    {
        _options.Add((option, put));
        return this;
    }
}
