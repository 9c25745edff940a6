namespace Nacre.ControlPlane.Api;

/// <summary>
/// A refusal in the words of the API: becomes the body <c>{"__type": Code, "Message": ..., extra members}</c> with <see cref="Status"/>.
/// Thrown by whatever finds the fault, written in one place by the endpoint.
/// </summary>
/// <param name="code">The bare shape name of the error, for instance <c>BadRequest</c> or <c>FileSystemNotFound</c>.</param>
/// <param name="message">The service model says 1 to 256 characters; texts of the service itself are longer, and no client minds.</param>
/// <param name="status">HTTP status: 400 for every modelled error but InternalServerError.</param>
public sealed class ApiException(string code, string message, int status = 400) : Exception(message)
{
    public string Code { get; } = code;

    public int Status { get; } = status;

    /// <summary>Members of the error shape beside the message, for instance <c>Parameter</c> of IncompatibleParameterError.</summary>
    public IReadOnlyDictionary<string, string> Members { get; init; } = new Dictionary<string, string>();
}
