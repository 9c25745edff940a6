using System.Net;
using System.Text.Json;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Api;

public sealed class CallTests
{
    private static readonly Operation Describe = new FakeOperation("DescribeFileSystems", changes: false, _ => """{"FileSystems":[]}""");

    [Fact]
    public async Task OperationGetsBodyAndCaller()
    {
        CallContext? caller = null;
        var create = new FakeOperation("CreateFileSystem", changes: true, (body, context, _) =>
        {
            caller = context;
            return ValueTask.FromResult($$"""{"Echo":{{body.GetProperty("StorageCapacity").GetInt32()}}}""");
        });
        await using var endpoint = await Endpoint.StartAsync([create]);

        var answer = await endpoint.CallAsync("CreateFileSystem", """{"StorageCapacity":1200}""");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("""{"Echo":1200}""", answer.Body);
        Assert.Equal("application/x-amz-json-1.1", answer.ContentType);
        Assert.Equal(new CallContext(Endpoint.AccountId, Endpoint.Admin.Id, answer.RequestId), caller);
        Assert.True(Guid.TryParseExact(answer.RequestId, "D", out _));
    }

    [Fact]
    public async Task RefusalIsAnErrorShapeWithItsMembers()
    {
        var create = new FakeOperation("CreateFileSystem", changes: true, _ => throw new ApiException("IncompatibleParameterError", "It \"differs\".")
        {
            Members = new Dictionary<string, string> { ["Parameter"] = "StorageCapacity" },
        });
        await using var endpoint = await Endpoint.StartAsync([create]);

        var answer = await endpoint.CallAsync("CreateFileSystem");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("IncompatibleParameterError", answer.Code);
        Assert.Equal("IncompatibleParameterError", answer.ErrorType);
        Assert.Equal("It \"differs\".", answer.Json.GetProperty("Message").GetString());
        Assert.Equal("StorageCapacity", answer.Json.GetProperty("Parameter").GetString());
    }

    [Fact]
    public async Task FailureTellsTheRequestIdAndNothingElse()
    {
        var log = new LogRecorder<ApiServer>();
        var create = new FakeOperation("CreateFileSystem", changes: true, _ => throw new InvalidOperationException("the secret of the house"));
        await using var endpoint = await Endpoint.StartAsync([create], logging: new RecorderFactory(log));

        var answer = await endpoint.CallAsync("CreateFileSystem");

        Assert.Equal(HttpStatusCode.InternalServerError, answer.Status);
        Assert.Equal("InternalFailure", answer.Code);
        Assert.DoesNotContain("secret", answer.Body);
        var line = Assert.Single(log.Lines, l => l.Failure is InvalidOperationException);
        Assert.Contains(answer.RequestId, line.Text);
        Assert.Equal("InternalFailure", Assert.Single(await endpoint.AuditAsync()).GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData("DropAllTables")]
    [InlineData("describefilesystems")]
    [InlineData("")]
    public async Task UnknownOperationIsNotFound(string operation)
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var answer = await endpoint.CallAsync(operation);
        Assert.Equal((HttpStatusCode.NotFound, "UnknownOperationException"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task ReadOnlyKeyReadsAndChangesNothing()
    {
        var ran = 0;
        var delete = new FakeOperation("DeleteFileSystem", changes: true, _ => $"{{\"Ran\":{++ran}}}");
        await using var endpoint = await Endpoint.StartAsync([Describe, delete]);

        Assert.Equal("OK", (await endpoint.CallAsync("DescribeFileSystems", key: Endpoint.Reader)).Code);
        var refused = await endpoint.CallAsync("DeleteFileSystem", key: Endpoint.Reader);

        Assert.Equal(0, ran);
        Assert.Equal("AccessDeniedException", refused.Code);
        Assert.StartsWith(
            "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: fsx:DeleteFileSystem on resource: ",
            refused.Json.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task BrowserIsToldWhatThisIs()
    {
        await using var endpoint = await Endpoint.StartAsync();
        using var response = await endpoint.Http.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("Nacre", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("PUT", "/")]
    [InlineData("DELETE", "/")]
    [InlineData("POST", "/else")]
    [InlineData("GET", "/favicon.ico")]
    [InlineData("OPTIONS", "/")]
    public async Task OtherMethodsAndPathsAreRefused(string method, string path)
    {
        await using var endpoint = await Endpoint.StartAsync();
        using var response = await endpoint.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed, $"{response.StatusCode}");
        Assert.NotEmpty(response.Headers.GetValues("x-amzn-RequestId"));
    }

    [Fact]
    public async Task TypedOperationRefusesAWrongType()
    {
        await using var endpoint = await Endpoint.StartAsync([new TypedOperation()]);
        var answer = await endpoint.CallAsync("TagResource", """{"Key":[1],"Value":"b"}""");
        Assert.Equal((HttpStatusCode.BadRequest, "SerializationException"), (answer.Status, answer.Code));
        Assert.Contains("Key", answer.Json.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task ChangeThatWasBegunIsFinishedWhenTheCallerLeaves()
    {
        var begun = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var finished = new TaskCompletionSource<bool>();
        var create = new FakeOperation("CreateFileSystem", changes: true, async (_, _, cancellation) =>
        {
            begun.SetResult();
            await goOn.Task;
            finished.SetResult(cancellation.IsCancellationRequested);
            return "{}";
        });
        await using var endpoint = await Endpoint.StartAsync([create]);
        using (var socket = await endpoint.ConnectAsync())
        {
            await socket.SendAsync(await endpoint.WireAsync("CreateFileSystem"));
            await begun.Task.Within();
            // With a reset, so that the endpoint learns of it.
            socket.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        }

        goOn.SetResult();
        Assert.False(await finished.Task.Within());
    }

    [Fact]
    public async Task QuestionEndsWhenTheCallerLeaves()
    {
        var begun = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        var describe = new FakeOperation("DescribeFileSystems", changes: false, async (_, _, cancellation) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => ended.SetResult(), TaskScheduler.Default);
            cancellation.ThrowIfCancellationRequested();
            return "{}";
        });
        await using var endpoint = await Endpoint.StartAsync([describe]);
        using (var socket = await endpoint.ConnectAsync())
        {
            await socket.SendAsync(await endpoint.WireAsync("DescribeFileSystems"));
            await begun.Task.Within();
            socket.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        }

        await ended.Task.Within();
    }

    [Fact]
    public async Task CallsUnderWayAreAnsweredWhenTheEndpointStops()
    {
        var begun = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var create = new FakeOperation("CreateFileSystem", changes: true, async (_, _, _) =>
        {
            begun.SetResult();
            await goOn.Task;
            return "{}";
        });
        await using var endpoint = await Endpoint.StartAsync([create]);
        var call = endpoint.CallAsync("CreateFileSystem");
        await begun.Task.Within();

        var stopping = endpoint.Server.DisposeAsync().AsTask();
        goOn.SetResult();

        Assert.Equal("OK", (await call.Within()).Code);
        await stopping.Within();
    }

    [Fact]
    public async Task CallThatDoesNotEndIsEndedWhenTheEndpointStops()
    {
        var begun = new TaskCompletionSource();
        var create = new FakeOperation("CreateFileSystem", changes: true, async (_, _, cancellation) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
            return "{}";
        });
        await using var endpoint = await Endpoint.StartAsync(
            [create], options => options with { Limits = options.Limits with { StopTime = TimeSpan.FromMilliseconds(50) } });
        var call = endpoint.CallAsync("CreateFileSystem");
        await begun.Task.Within();

        await endpoint.Server.DisposeAsync().AsTask().Within();

        // The answer that it is being stopped, or a connection that is cut.
        var answer = await call.ContinueWith(c => c.IsCompletedSuccessfully ? c.Result.Code : "cut", TaskScheduler.Default).Within();
        Assert.True(answer is "ServiceUnavailable" or "cut", answer);
    }

    [Fact]
    public async Task ManyCallsAtOnceGetTheirOwnAnswers()
    {
        var echo = new FakeOperation("DescribeFileSystems", changes: false, body => body.GetRawText());
        await using var endpoint = await Endpoint.StartAsync([echo]);
        var bodies = Enumerable.Range(0, 200).Select(i => $$"""{"Text":"{{i}} {{new string('x', i * 40)}}"}""").ToArray();
        var answers = await Task.WhenAll(bodies.Select(body => endpoint.CallAsync("DescribeFileSystems", body)));
        Assert.Equal(bodies, answers.Select(a => a.Body));
        Assert.Equal(bodies.Length, answers.Select(a => a.RequestId).Distinct().Count());
    }

    private sealed class TypedOperation() : Operation<Tag, Tag>(Json.Tag, Json.Tag)
    {
        public override string Name => "TagResource";

        public override bool Changes => true;

        protected override ValueTask<Tag> RunAsync(Tag request, CallContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(request);
    }

    private static class Json
    {
        public static System.Text.Json.Serialization.Metadata.JsonTypeInfo<Tag> Tag { get; } =
            (System.Text.Json.Serialization.Metadata.JsonTypeInfo<Tag>)JsonSerializerOptions.Default.GetTypeInfo(typeof(Tag));
    }
}
