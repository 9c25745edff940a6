using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Api;

/// <summary>
/// The code and the HTTP status with which each service refuses a signature, as seen on AWS (docs/api.md, "Errors", has the sources). Clients go by
/// the codes: the AWS SDKs correct their clock after some of them.
/// </summary>
internal static class AuthenticationErrors
{
    public static ApiException Fsx(AuthenticationException refusal) => new(
        refusal.Fault switch
        {
            AuthenticationFault.Missing => "MissingAuthenticationTokenException",
            AuthenticationFault.Incomplete => "IncompleteSignatureException",
            AuthenticationFault.UnknownKey => "UnrecognizedClientException",
            _ => "InvalidSignatureException",
        },
        refusal.Message);

    public static ApiException Sts(AuthenticationException refusal) => new(
        refusal.Fault switch
        {
            AuthenticationFault.Missing => "MissingAuthenticationToken",
            AuthenticationFault.Incomplete => "IncompleteSignature",
            AuthenticationFault.UnknownKey => "InvalidClientTokenId",
            _ => "SignatureDoesNotMatch",
        },
        refusal.Message,
        status: 403);

    public static ApiException Ec2(AuthenticationException refusal) => refusal.Fault switch
    {
        AuthenticationFault.Skewed => new ApiException("RequestExpired", $"Request has expired. {refusal.Message}"),
        AuthenticationFault.UnknownKey => new ApiException("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
        _ => new ApiException("AuthFailure", refusal.Message, 401),
    };
}
