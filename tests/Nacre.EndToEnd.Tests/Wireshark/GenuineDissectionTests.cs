using Nacre.EndToEnd.Captures;
using Xunit.Abstractions;

namespace Nacre.EndToEnd.Wireshark;

/// <summary>The yardstick itself: genuine traffic, taken apart and written again, must look to the dissector like the captures it came from.</summary>
public sealed class GenuineDissectionTests(ITestOutputHelper output)
{
    [Fact]
    public async Task CapturesAreTakenApartWhole()
    {
        var genuine = new DissectorFindings();
        foreach (var name in CaptureFile.Names)
        {
            var frames = CaptureFile.Read(name);
            Assert.True(frames.Count > 20, $"{name}: {frames.Count} frames");
            await genuine.AddAsync(frames);
        }

        output.WriteLine(genuine.ToString());
        Assert.Contains("LDLM_ENQUEUE intent GetAttr reply 0", genuine.Kinds);
        Assert.Contains("MDS_REINT Rename request", genuine.Kinds);
    }
}
