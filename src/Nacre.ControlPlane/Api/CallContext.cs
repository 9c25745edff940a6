namespace Nacre.ControlPlane.Api;

/// <summary>Who calls, and as which request.</summary>
/// <param name="AccountId">12 digits; owner of what the call makes, and the only account whose resources it sees.</param>
/// <param name="AccessKeyId">The key the request was signed with.</param>
/// <param name="RequestId">Answered in the header <c>x-amzn-RequestId</c> and written to the audit log.</param>
public sealed record CallContext(string AccountId, string AccessKeyId, string RequestId);
