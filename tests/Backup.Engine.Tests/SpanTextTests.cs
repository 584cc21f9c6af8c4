namespace Backup.Engine.Tests;

public sealed class SpanTextTests
{
    [Theory]
    [InlineData("90s", "00:01:30")]
    [InlineData("15m", "00:15:00")]
    [InlineData(" 26H ", "1.02:00:00")]
    [InlineData("1.5h", "01:30:00")]
    [InlineData("7d", "7.00:00:00")]
    [InlineData("2w", "14.00:00:00")]
    [InlineData("1.02:03:04", "1.02:03:04")]
    [InlineData("00:00:00.2", "00:00:00.2000000")]
    [InlineData("0s", "00:00:00")]
    public void It_is_read_as_people_write_it(string text, string span) => SpanText.Parse(text)!.Value.ToString().ShouldBe(span);

    [Theory]
    [InlineData("")]
    [InlineData("3600")]
    [InlineData("d")]
    [InlineData("-1d")]
    [InlineData("1 d")]
    [InlineData("1,5h")]
    [InlineData("1y")]
    [InlineData("1e9d")]
    [InlineData("99999999w")]
    [InlineData("NaNd")]
    [InlineData("25:61:00")]
    public void What_is_no_span_is_none(string text) => SpanText.Parse(text).ShouldBeNull();
}
