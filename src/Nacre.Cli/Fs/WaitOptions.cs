using System.CommandLine;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Fs;

/// <summary>Whether to wait until what was asked for is done, and how often to look.</summary>
internal sealed class WaitOptions
{
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Return as soon as the API has answered." };

    private readonly Option<double> _interval = new("--poll-seconds")
    {
        Description = "How often to look while waiting.",
        DefaultValueFactory = _ => 1,
        HelpName = "SECONDS",
    };

    public IEnumerable<Option> All => [_noWait, _interval];

    public static WaitOptions Create() => new();

    public bool IsWanted(ParseResult parsed) => !parsed.GetValue(_noWait);

    public Waiting Waiting(ParseResult parsed, FsxClient client) =>
        new(client, TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(_interval), 0.05, 3600)));
}
