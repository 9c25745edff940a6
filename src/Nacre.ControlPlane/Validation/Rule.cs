using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>One rule about a request as a whole: when it is broken, and how that is answered.</summary>
internal sealed record Rule<T>(Func<T, bool> IsBroken, Func<T, string> Message)
{
    public string Code { get; init; } = ErrorCode.BadRequest;

    public Rule(Func<T, bool> isBroken, string message)
        : this(isBroken, _ => message)
    {
    }
}

internal static class Rules
{
    // Rules repeat what was sent, which can be thousands of characters.
    private const int MaxMessage = 1_000;

    /// <exception cref="ApiException">The first rule that is broken.</exception>
    public static void Check<T>(this IEnumerable<Rule<T>> rules, T subject)
    {
        foreach (var rule in rules)
        {
            if (rule.IsBroken(subject))
            {
                string message = rule.Message(subject);
                throw new ApiException(rule.Code, message.Length <= MaxMessage ? message : message[..MaxMessage] + "...");
            }
        }
    }
}
