using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Nacre.ControlPlane.Tests.Operations.Support;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Tests.Operations;

/// <summary>Whatever can be ordered is described as it was ordered. FsCheck prints the seed of a run that fails, and the smallest request it finds.</summary>
public class RoundTripTests
{
    [Property(MaxTest = 200, Arbitrary = [typeof(Orders)])]
    public async Task What_is_described_is_what_was_sent(Order order)
    {
        using var api = new TestApi();
        var created = await api.CreateAsync(order.Request);
        string id = TestApi.Text(created, "FileSystemId");
        await api.SettleAsync(id);
        var described = await api.DescribeAsync(id);
        Assert.Equal("AVAILABLE", TestApi.Text(described, "Lifecycle"));
        AssertHolds(Expected(order.Request), described, "");
    }

    // Answers that differ from the request on purpose; the members themselves are looked at in CreateFileSystemTests.
    private static JsonObject Expected(JsonObject request)
    {
        var expected = request.DeepClone().AsObject();
        foreach (string unanswered in new[] { "ClientRequestToken", "SecurityGroupIds" })
        {
            expected.Remove(unanswered);
        }
        (expected["LustreConfiguration"]?["LogConfiguration"] as JsonObject)?.Remove("Destination");
        return expected;
    }

    private static void AssertHolds(JsonObject expected, JsonObject actual, string path)
    {
        foreach (var (name, value) in expected)
        {
            if (value is JsonObject inner)
            {
                AssertHolds(inner, Assert.IsType<JsonObject>(actual[name]), $"{path}.{name}");
            }
            else
            {
                Assert.True(JsonNode.DeepEquals(value, actual[name]), $"{path}.{name}: sent {value?.ToJsonString()}, described {actual[name]?.ToJsonString()}");
            }
        }
    }

    /// <param name="Request">Of CreateFileSystem.</param>
    public sealed record Order(JsonObject Request)
    {
        public override string ToString() => Request.ToJsonString();
    }

    /// <summary>Requests that follow all the rules, each optional member there or not.</summary>
    public static class Orders
    {
        public static Arbitrary<Order> Any() => Arb.From(
            from offer in Gen.Elements(Offer.All.AsEnumerable())
            from type in Type(offer)
            from common in Members(Common())
            from lustre in Members(LustreCommon(offer))
            from top in Members(Top(offer))
            select new Order(Assemble(offer, type, [.. common, .. lustre], top)));

        private static JsonObject Assemble(Offer offer, JsonObject type, IEnumerable<(string, string)> lustre, IEnumerable<(string, string)> top)
        {
            var configuration = type["LustreConfiguration"]!.AsObject();
            configuration["DeploymentType"] = offer.DeploymentType;
            foreach (var (name, value) in lustre)
            {
                configuration[name] = JsonNode.Parse(value);
            }
            var request = type.DeepClone().AsObject();
            request["FileSystemType"] = "LUSTRE";
            request["StorageType"] = offer.StorageType;
            request["SubnetIds"] = new JsonArray(Requests.Subnet);
            foreach (var (name, value) in top)
            {
                request[name] = JsonNode.Parse(value);
            }
            return request;
        }

        // What depends on the type: capacity, throughput, cache, metadata, EFA.
        private static Gen<JsonObject> Type(Offer offer) => offer.IsElastic
            ? from units in Gen.Choose(1, 20)
              from iops in Gen.Elements(6000, 12000)
              from cache in Gen.Elements("""{"SizingMode":"NO_CACHE"}""", """{"SizingMode":"PROPORTIONAL_TO_THROUGHPUT_CAPACITY"}""", $$"""{"SizingMode":"USER_PROVISIONED","SizeGiB":{{units * 32}}}""")
              select Parse($$$"""{"LustreConfiguration":{"ThroughputCapacity":{{{units * 4000}}},"MetadataConfiguration":{"Mode":"USER_PROVISIONED","Iops":{{{iops}}}},"DataReadCacheConfiguration":{{{cache}}}}}""")
            : from throughput in offer.Throughputs.Count == 0 ? Gen.Constant(0) : Gen.Elements(offer.Throughputs.AsEnumerable())
              from metadata in Gen.Elements(offer.DeploymentType == "PERSISTENT_2" ? ["", "AUTOMATIC", "USER_PROVISIONED"] : new[] { "" })
              from efa in metadata == "" ? Gen.Constant(false) : Gen.Elements(false, true)
              from steps in Gen.Choose(0, 2)
              from cache in Gen.Elements(offer.DriveCacheTypes.DefaultIfEmpty("").ToArray())
              select Provisioned(offer, throughput, metadata, efa, steps, cache);

        private static JsonObject Provisioned(Offer offer, int throughput, string metadata, bool efa, int steps, string cache)
        {
            var sizes = CapacitySteps.For(offer, throughput, efa);
            int capacity = steps == 0 ? sizes.AtCreation.Append(sizes.Step).First() : steps * sizes.Step;
            var lustre = new JsonObject();
            if (throughput > 0)
            {
                lustre["PerUnitStorageThroughput"] = throughput;
            }
            if (cache != "")
            {
                lustre["DriveCacheType"] = cache;
            }
            if (metadata != "")
            {
                lustre["MetadataConfiguration"] = new JsonObject { ["Mode"] = metadata };
            }
            if (metadata == "USER_PROVISIONED")
            {
                lustre["MetadataConfiguration"]!["Iops"] = Math.Max(Sizing.AutomaticMetadataIops(capacity), 12000);
            }
            if (efa)
            {
                lustre["EfaEnabled"] = true;
            }
            return new JsonObject { ["StorageCapacity"] = capacity, ["LustreConfiguration"] = lustre };
        }

        private static (string, Gen<string>)[] Common() =>
        [
            ("WeeklyMaintenanceStartTime", from day in Gen.Choose(1, 7) from hour in Gen.Choose(0, 23) from minute in Gen.Choose(0, 59) select $"\"{day}:{hour:d2}:{minute:d2}\""),
            ("DataCompressionType", Gen.Elements("\"NONE\"", "\"LZ4\"")),
            ("LogConfiguration", Gen.Elements("""{"Level":"DISABLED"}""", """{"Level":"WARN_ONLY"}""", """{"Level":"ERROR_ONLY","Destination":"arn:aws:logs:us-east-1:123456789012:log-group:/aws/fsx/x"}""")),
            ("RootSquashConfiguration", Gen.Elements("""{"RootSquash":"0:0"}""", """{"RootSquash":"65534:65534"}""", """{"RootSquash":"365534:65534","NoSquashNids":["10.216.123.47@tcp","10.216.29.[1-5]@tcp"]}""")),
            ("DailyAutomaticBackupStartTime", from hour in Gen.Choose(0, 23) from minute in Gen.Choose(0, 59) select $"\"{hour:d2}:{minute:d2}\""),
        ];

        private static (string, Gen<string>)[] LustreCommon(Offer offer) => !offer.IsPersistent ? [] :
        [
            ("AutomaticBackupRetentionDays", from days in Gen.Choose(0, 90) select $"{days}"),
            ("CopyTagsToBackups", Gen.Elements("true", "false")),
        ];

        private static (string, Gen<string>)[] Top(Offer offer) =>
        [
            ("FileSystemTypeVersion", Gen.Constant("\"2.15\"")),
            ("Tags", Gen.Elements("""[{"Key":"Name","Value":"päth /=+-@ 1"}]""", """[{"Key":"b","Value":""},{"Key":"a","Value":"1"}]""")),
            ("SecurityGroupIds", Gen.Constant("""["sg-0123456789abcdef0"]""")),
            ("ClientRequestToken", Gen.Constant("\"pvc-0f1e2d3c\"")),
            .. offer.IsPersistent ? [("KmsKeyId", Gen.Constant("\"arn:aws:kms:us-east-1:123456789012:key/0f1e2d3c\""))] : Array.Empty<(string, Gen<string>)>(),
        ];

        // Each of them, or not.
        private static Gen<List<(string, string)>> Members((string Name, Gen<string> Value)[] all) => all.Aggregate(
            Gen.Constant(new List<(string, string)>()),
            (list, member) =>
                from some in list
                from isThere in Gen.Elements(false, true)
                from value in member.Value
                select isThere ? [.. some, (member.Name, value)] : some);

        private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
    }
}
