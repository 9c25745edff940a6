namespace Nacre.Cli.Lfs;

/// <summary>A command line as getopt_long(3) reads it: <c>-c4 -c 4 --stripe-count=4 --stripe-count 4 -dr</c>, in the order given.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, Option> _byName = [];

    /// <param name="names">Each one "c:stripe-count:" with a colon behind what takes a value, "d:directory" where none is taken.</param>
    public Options(params ReadOnlySpan<string> names)
    {
        foreach (var spec in names)
        {
            var takesValue = spec.EndsWith(':');
            var words = spec.TrimEnd(':').Split(':');
            var option = new Option(words[0], takesValue);
            foreach (var word in words) _byName.Add(word, option);
        }
    }

    /// <summary>The options in their order, and the other words.</summary>
    /// <exception cref="LfsException">An unknown option, or one without its value.</exception>
    public (List<(string Name, string Value)> Options, List<string> Words) Read(IReadOnlyList<string> arguments)
    {
        var (options, words) = (new List<(string, string)>(), new List<string>());
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                words.AddRange(arguments.Skip(i + 1));
                break;
            }

            if (argument.StartsWith("--", StringComparison.Ordinal)) ReadLong(argument[2..], arguments, ref i, options);
            else if (argument is ['-', _, ..]) ReadShort(argument, arguments, ref i, options);
            else words.Add(argument);
        }

        return (options, words);
    }

    private void ReadLong(string text, IReadOnlyList<string> arguments, ref int i, List<(string, string)> options)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? text : text[..equals];
        var option = Find(name, name.Length > 1 ? "--" + name : "-" + name);
        if (!option.TakesValue && equals >= 0) throw new LfsException($"--{name} takes no value");
        options.Add((option.Name, !option.TakesValue ? "" : equals >= 0 ? text[(equals + 1)..] : Next(name, arguments, ref i)));
    }

    private void ReadShort(string text, IReadOnlyList<string> arguments, ref int i, List<(string, string)> options)
    {
        for (var at = 1; at < text.Length; at++)
        {
            var option = Find(text[at].ToString(), "-" + text[at]);
            if (!option.TakesValue)
            {
                options.Add((option.Name, ""));
                continue;
            }

            options.Add((option.Name, at + 1 < text.Length ? text[(at + 1)..] : Next(option.Name, arguments, ref i)));
            return;
        }
    }

    private Option Find(string name, string shown) =>
        _byName.TryGetValue(name, out var option) ? option : throw new LfsException($"there is no option {shown}");

    private static string Next(string name, IReadOnlyList<string> arguments, ref int i) =>
        ++i < arguments.Count ? arguments[i] : throw new LfsException($"option {name} needs a value");

    private sealed record Option(string Name, bool TakesValue);
}

/// <summary>A command that failed; the message is one line.</summary>
internal sealed class LfsException(string message) : Exception(message);
