using Nacre.Server.Ost;

namespace Nacre.Server.Tests.Ost;

public class TransactionNumbersTests
{
    [Fact]
    public void Committed_follows_the_oldest_change_that_is_not_finished()
    {
        var numbers = new TransactionNumbers(100);
        Assert.Equal(100ul, numbers.Committed);
        var (first, second, third) = (numbers.Begin(), numbers.Begin(), numbers.Begin());
        Assert.Equal((101ul, 102ul, 103ul), (first.Number, second.Number, third.Number));
        second.Dispose();
        Assert.Equal(100ul, numbers.Committed);
        first.Dispose();
        Assert.Equal(102ul, numbers.Committed);
        first.Dispose();
        Assert.Equal(102ul, numbers.Committed);
        var fourth = numbers.Begin();
        third.Dispose();
        Assert.Equal(103ul, numbers.Committed);
        fourth.Dispose();
        Assert.Equal(104ul, numbers.Committed);
    }

    [Fact]
    public async Task Many_at_a_time_leave_nothing_behind()
    {
        var numbers = new TransactionNumbers(0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                using var one = numbers.Begin();
                Assert.True(numbers.Committed < one.Number);
            }
        })));
        Assert.Equal(40_000ul, numbers.Committed);
    }
}
