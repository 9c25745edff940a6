using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Network;

/// <summary>STS, as far as tools ask it who they are before they do anything: GetCallerIdentity.</summary>
internal sealed class StsService : Service
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

    /// <inheritdoc/>
    public override string SigningName => "sts";

    /// <inheritdoc/>
    public override string ContentType => "text/xml";

    /// <inheritdoc/>
    public override string OperationOf(SignedRequest request) => new QueryRequest(request).Action;

    /// <inheritdoc/>
    public override ValueTask<byte[]> RunAsync(SignedRequest request, Call call, CallTokens tokens)
    {
        if (call.Operation != "GetCallerIdentity") throw new ApiException("InvalidAction", "Could not find the operation for version 2011-06-15");
        return new ValueTask<byte[]>(XmlText.Write("GetCallerIdentityResponse", Namespace, xml =>
        {
            xml.WriteStartElement("GetCallerIdentityResult");
            xml.WriteElementString("Arn", call.Key!.Arn);
            xml.WriteElementString("UserId", call.Key.Id);
            xml.WriteElementString("Account", call.Key.AccountId);
            xml.WriteEndElement();
            xml.WriteStartElement("ResponseMetadata");
            xml.WriteElementString("RequestId", call.RequestId);
            xml.WriteEndElement();
        }));
    }

    /// <inheritdoc/>
    public override byte[] WriteError(ApiException error, string requestId) => XmlText.Write("ErrorResponse", Namespace, xml =>
    {
        xml.WriteStartElement("Error");
        xml.WriteElementString("Type", error.Status < 500 ? "Sender" : "Receiver");
        xml.WriteElementString("Code", error.Code);
        xml.WriteElementString("Message", XmlText.Valid(error.Message));
        xml.WriteEndElement();
        xml.WriteElementString("RequestId", requestId);
    });

    /// <inheritdoc/>
    public override ApiException Translate(AuthenticationException refusal) => AuthenticationErrors.Sts(refusal);
}
