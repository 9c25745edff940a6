using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>The tree against a plain list.</summary>
public class ExtentTreeTests
{
    [Theory]
    [InlineData(1, 12)]
    [InlineData(2, 60)]
    [InlineData(3, 1000)]
    public void AnswersAsAListWould(int seed, int domain)
    {
        var random = new Random(seed);
        var tree = default(ExtentTree);
        var list = new List<LdlmLock>();
        for (var step = 0; step < 4000; step++)
        {
            if (list.Count > 0 && random.Next(100) < (list.Count > 60 ? 60 : 35))
            {
                var victim = list[random.Next(list.Count)];
                list.Remove(victim);
                tree.Remove(victim);
            }
            else
            {
                var start = (ulong)random.Next(domain);
                var end = random.Next(5) == 0 ? ulong.MaxValue : start + (ulong)random.Next(domain / 3);
                var l = new LdlmLock(null, 0, LockMode.PR, LdlmPolicy.Extent(start, end));
                list.Add(l);
                tree.Insert(l);
            }
            Compare(tree, list, (ulong)random.Next(domain), (ulong)random.Next(domain));
        }
    }

    [Fact]
    public void RemovingWhatIsNotThereIsNoticed()
    {
        var tree = default(ExtentTree);
        tree.Insert(new LdlmLock(null, 0, LockMode.PR, LdlmPolicy.Extent(1, 2)));
        Assert.Throws<InvalidOperationException>(
            () => tree.Remove(new LdlmLock(null, 0, LockMode.PR, LdlmPolicy.Extent(1, 2))));
    }

    private static void Compare(ExtentTree tree, List<LdlmLock> list, ulong a, ulong b)
    {
        var (from, to) = (Math.Min(a, b), Math.Max(a, b));
        var overlapping = list.Where(l => l.Policy.Start <= to && l.Policy.End >= from).ToList();
        Assert.Equal(list.Count, tree.Count);
        Assert.Equal(overlapping.Count > 0, tree.Overlaps(from, to));

        var seen = new Collector { Seen = [] };
        Assert.True(tree.Visit(from, to, ref seen));
        Assert.Equal(overlapping.OrderBy(l => l.Policy.Start).ThenBy(l => l.Handle), seen.Seen);

        var behind = list.Where(l => l.Policy.Start > a).Select(l => l.Policy.Start).DefaultIfEmpty(0ul).Min();
        Assert.Equal(list.Any(l => l.Policy.Start > a), tree.TryStartBehind(a, out var start));
        Assert.Equal(behind, start);

        var reaching = list.Where(l => l.Policy.End >= a).OrderByDescending(l => l.Policy.Start).ThenByDescending(l => l.Handle);
        LdlmLock? last = null;
        foreach (var expected in reaching.Take(5))
        {
            last = tree.LastReaching(a, last);
            Assert.Same(expected, last);
        }
        if (reaching.Count() <= 5)
            Assert.Null(last is null ? tree.LastReaching(a, null) : tree.LastReaching(a, last));
    }

    private struct Collector : IExtentVisitor
    {
        public List<LdlmLock> Seen;

        public readonly bool Visit(LdlmLock l)
        {
            Seen.Add(l);
            return true;
        }
    }
}
