namespace Nacre.ControlPlane.Client;

/// <summary>What requests are signed with.</summary>
/// <param name="SessionToken">Of temporary credentials.</param>
public sealed record AwsCredentials(string AccessKeyId, string SecretAccessKey, string? SessionToken = null);
