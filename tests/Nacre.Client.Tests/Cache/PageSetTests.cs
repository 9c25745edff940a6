using Nacre.Client.Cache;
using Xunit.Abstractions;

namespace Nacre.Client.Tests.Cache;

public sealed class PageSetTests(ITestOutputHelper output)
{
    [Fact]
    public void ItBehavesAsASetOfNumbers()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var set = default(PageSet);
        var model = new bool[PageSet.Count];
        for (var i = 0; i < 5000; i++)
        {
            var first = random.Next(PageSet.Count);
            var count = random.Next(1, PageSet.Count - first + 1);
            var adds = random.Next(2) == 0;
            if (adds)
            {
                set.Add(first, count);
            }
            else
            {
                set.Remove(first, count);
            }

            Array.Fill(model, adds, first, count);
            var from = random.Next(PageSet.Count);
            var behind = Array.IndexOf(model, true, from);
            var absent = Array.IndexOf(model, false, from);
            var length = random.Next(1, PageSet.Count - from + 1);
            Assert.Equal(behind < 0 ? PageSet.Count : behind, set.Next(from));
            Assert.Equal(absent < 0 ? PageSet.Count : absent, set.NextAbsent(from));
            Assert.Equal(model.Count(present => present), set.PopCount);
            Assert.Equal(model.AsSpan(from, length).IndexOf(false) < 0, set.HasAll(from, length));
            Assert.Equal(model.AsSpan(from, length).IndexOf(true) >= 0, set.HasAny(from, length));
            Assert.Equal(model[from], set[from]);
        }
    }
}
