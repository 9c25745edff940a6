namespace Nacre.Cli.Fs;

/// <summary>The settings of one profile in a file of the AWS tools: <c>[name]</c> and lines of <c>key = value</c>.</summary>
internal static class AwsProfile
{
    /// <summary>Null when the file is not there or has no such profile.</summary>
    /// <param name="profile">Null for the first one.</param>
    public static IReadOnlyDictionary<string, string>? Read(string path, string? profile)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        Dictionary<string, string>? found = null;
        foreach (var raw in File.ReadLines(path))
        {
            var line = raw.Trim();
            if (line.StartsWith('['))
            {
                if (found is not null)
                {
                    break;
                }

                found = IsSection(line, profile) ? new Dictionary<string, string>(StringComparer.Ordinal) : null;
            }
            else if (found is not null && !line.StartsWith('#') && !line.StartsWith(';') && line.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
            {
                found[line[..equals].TrimEnd()] = line[(equals + 1)..].TrimStart();
            }
        }

        return found;
    }

    /// <summary>The configuration file says <c>[profile name]</c> where the credentials file says <c>[name]</c>.</summary>
    private static bool IsSection(string line, string? profile)
    {
        var name = line.Trim('[', ']').Trim();
        return profile is null || name == profile || name == $"profile {profile}";
    }
}
