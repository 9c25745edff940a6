using System.Text.RegularExpressions;

namespace Nacre.ControlPlane.Validation;

/// <summary>What a text has to be like, as the service model says it.</summary>
internal sealed class TextConstraint
{
    private readonly int _min;
    private readonly int _max;
    private readonly string? _pattern;
    private readonly Regex? _regex;

    /// <param name="min">Least length.</param>
    /// <param name="max">Greatest length.</param>
    /// <param name="pattern">The model's regular expression, which the whole text has to match; null for any text.</param>
    public TextConstraint(int min, int max, string? pattern = null)
    {
        _min = min;
        _max = max;
        _pattern = pattern;
        // Some of the model's patterns are ambiguous enough to make a backtracking engine take for ever.
        _regex = pattern is null ? null : new Regex(
            @$"\A(?:{pattern.TrimStart('^').TrimEnd('$')})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
    }

    /// <returns>The constraint that is not met, in the service's words; null when all are.</returns>
    public string? Broken(string text)
    {
        if (text.Length < _min)
        {
            return $"Member must have length greater than or equal to {_min}";
        }
        if (text.Length > _max)
        {
            return $"Member must have length less than or equal to {_max}";
        }
        return _regex is not null && !_regex.IsMatch(text) ? $"Member must satisfy regular expression pattern: {_pattern}" : null;
    }
}

/// <summary>The range of a number, as the service model says it.</summary>
internal readonly record struct NumberConstraint(long Min, long Max)
{
    /// <inheritdoc cref="TextConstraint.Broken"/>
    public string? Broken(long number)
    {
        if (number < Min)
        {
            return $"Member must have value greater than or equal to {Min}";
        }
        return number > Max ? $"Member must have value less than or equal to {Max}" : null;
    }
}
