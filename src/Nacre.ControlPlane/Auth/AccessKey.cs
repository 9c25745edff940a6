namespace Nacre.ControlPlane.Auth;

/// <summary>A key of the credentials file.</summary>
/// <param name="Name">Name of its section; the user name in answers and refusals.</param>
/// <param name="Id">16 to 128 letters, digits and underscores, for instance <c>AKIA...</c>.</param>
/// <param name="Secret">16 to 128 visible ASCII characters.</param>
/// <param name="AccountId">12 digits; what the key makes belongs to it.</param>
/// <param name="IsReadOnly">Operations that change something are refused.</param>
public sealed record AccessKey(string Name, string Id, string Secret, string AccountId, bool IsReadOnly, string? Description = null)
{
    /// <summary>The identity in AWS's own form.</summary>
    public string Arn => $"arn:aws:iam::{AccountId}:user/{Name}";

    /// <summary>Without the secret, as this ends up in logs.</summary>
    public override string ToString() => $"{Id} ({Name}, account {AccountId}{(IsReadOnly ? ", read-only" : "")})";
}
