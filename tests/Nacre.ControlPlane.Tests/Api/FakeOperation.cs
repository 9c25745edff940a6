using System.Text;
using System.Text.Json;
using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>An operation that does what a test says.</summary>
internal sealed class FakeOperation(
    string name, bool changes, Func<JsonElement, CallContext, CancellationToken, ValueTask<string>> run) : Operation
{
    public FakeOperation(string name, bool changes, Func<JsonElement, string> run)
        : this(name, changes, (body, _, _) => ValueTask.FromResult(run(body)))
    {
    }

    public override string Name => name;

    public override bool Changes => changes;

    public override async ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetBytes(await run(body, context, cancellationToken));
}
