using System.Globalization;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>
/// Collects the members of a request that break the service model, and refuses the request in the service's words: "1 validation error
/// detected: Value null at 'storageCapacity' failed to satisfy constraint: Member must not be null". Members are named as there, in camel case.
/// </summary>
internal sealed class ShapeCheck
{
    // A refusal names so many members and so much of each value: it goes to logs and terminals.
    private const int MaxListed = 10;
    private const int MaxValueLength = 64;

    private readonly List<string> _broken = [];
    private int _count;

    public ShapeCheck Required(string member, object? value) => value is null ? Add(null, member, "Member must not be null") : this;

    public ShapeCheck Text(string member, string? value, TextConstraint constraint) =>
        value is null || constraint.Broken(value) is not { } broken ? this : Add(value, member, broken);

    public ShapeCheck RequiredText(string member, string? value, TextConstraint constraint) =>
        Required(member, value).Text(member, value, constraint);

    public ShapeCheck Number(string member, long? value, NumberConstraint constraint) =>
        value is not { } number || constraint.Broken(number) is not { } broken
            ? this
            : Add(number.ToString(CultureInfo.InvariantCulture), member, broken);

    public ShapeCheck OneOf(string member, string? value, params ReadOnlySpan<string> allowed) =>
        value is null || allowed.Contains(value)
            ? this
            : Add(value, member, $"Member must satisfy enum value set: [{string.Join(", ", allowed!)}]");

    /// <summary>Items are checked one by one, as <c>member.1.member</c> and so on; null ones are refused.</summary>
    public ShapeCheck List<T>(string member, IReadOnlyList<T?>? list, int min, int max, Action<string, T> checkItem)
        where T : class
    {
        if (list is null)
        {
            return this;
        }
        if (list.Count < min || list.Count > max)
        {
            string wanted = list.Count < min ? $"greater than or equal to {min}" : $"less than or equal to {max}";
            return Add($"[{list.Count} items]", member, $"Member must have length {wanted}");
        }
        for (int i = 0; i < list.Count; i++)
        {
            string item = string.Create(CultureInfo.InvariantCulture, $"{member}.{i + 1}.member");
            Required(item, list[i]);
            if (list[i] is { } value)
            {
                checkItem(item, value);
            }
        }
        return this;
    }

    /// <exception cref="ApiException">BadRequest: something was broken.</exception>
    public void ThrowIfBroken()
    {
        if (_count > 0)
        {
            string errors = _count == 1 ? "1 validation error" : $"{_count} validation errors";
            throw new ApiException(ErrorCode.BadRequest, $"{errors} detected: {string.Join("; ", _broken)}");
        }
    }

    private ShapeCheck Add(string? value, string member, string constraint)
    {
        if (++_count <= MaxListed)
        {
            _broken.Add($"Value {Quote(value)} at '{member}' failed to satisfy constraint: {constraint}");
        }
        return this;
    }

    private static string Quote(string? value) => value switch
    {
        null => "null",
        { Length: > MaxValueLength } => $"'{value[..MaxValueLength]}...'",
        _ => $"'{value}'",
    };
}
