using System.CommandLine;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Fs;

/// <summary><c>nacre tags</c>: tags of a resource, by its ARN, or of a file system by its id.</summary>
internal static class TagsCommand
{
    public static Command Create()
    {
        var connection = new Connection();
        var output = FsCommand.OutputOption();
        var command = new Command("tags", "Tags of file systems and other resources.")
        {
            List(connection, output), Add(connection), Remove(connection),
        };
        FsCommand.AddTo(command, connection, output);
        return command;
    }

    private static Command List(Connection connection, Option<string> output)
    {
        var resource = ResourceArgument();
        var command = new Command("list", "Tags of a resource.") { resource };
        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client =>
        {
            var tags = await client.ListTagsAsync(await ArnAsync(client, parsed.GetRequiredValue(resource), ct), ct);
            if (FsCommand.IsJson(parsed, output)) FsOutput.Json(tags);
            else FsOutput.Table(tags);
        }));
        return command;
    }

    private static Command Add(Connection connection)
    {
        var resource = ResourceArgument();
        var tags = new Argument<string[]>("KEY=VALUE") { Description = "Tags to add, or to give another value.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("add", "Add tags to a resource.") { resource, tags };
        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client => await client.TagAsync(
            await ArnAsync(client, parsed.GetRequiredValue(resource), ct), parsed.GetRequiredValue(tags).Select(RequestOptions.ParseTag).ToList(), ct)));
        return command;
    }

    private static Command Remove(Connection connection)
    {
        var resource = ResourceArgument();
        var keys = new Argument<string[]>("KEY") { Description = "Keys of the tags to remove.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("remove", "Remove tags from a resource.") { resource, keys };
        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client => await client.UntagAsync(
            await ArnAsync(client, parsed.GetRequiredValue(resource), ct), parsed.GetRequiredValue(keys), ct)));
        return command;
    }

    private static Argument<string> ResourceArgument() => new("RESOURCE") { Description = "Its ARN, or the id of a file system." };

    private static async Task<string> ArnAsync(FsxClient client, string resource, CancellationToken ct) =>
        resource.StartsWith("arn:", StringComparison.Ordinal) ? resource : (await client.DescribeAsync(resource, ct)).ResourceARN;
}
