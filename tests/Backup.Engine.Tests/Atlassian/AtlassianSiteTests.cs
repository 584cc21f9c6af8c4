using Backup.Engine.Atlassian;

namespace Backup.Engine.Tests.Atlassian;

public sealed class AtlassianSiteTests
{
    [Theory]
    [InlineData("acme", "acme.atlassian.net")]
    [InlineData(" acme.atlassian.net ", "acme.atlassian.net")]
    [InlineData("https://acme.atlassian.net/wiki/spaces/HR?x=1", "acme.atlassian.net")]
    [InlineData("https://wiki.acme.com:8443/", "wiki.acme.com:8443")]
    [InlineData("http://127.0.0.1:8080", "127.0.0.1:8080")]
    public void A_site_is_read(string text, string name) => AtlassianSite.Parse(text).Name.ShouldBe(name);

    [Theory]
    [InlineData("")]
    [InlineData("http://acme.atlassian.net")]
    [InlineData("ftp://acme.atlassian.net")]
    [InlineData("https://")]
    [InlineData("acme atlassian")]
    [InlineData("a/../b")]
    public void What_is_none_is_refused(string text) => Should.Throw<BackupException>(() => AtlassianSite.Parse(text)).Kind.ShouldBe(FailureKind.InvalidInput);

    [Fact]
    public void A_password_in_it_is_refused_and_not_repeated() =>
        Should.Throw<BackupException>(() => AtlassianSite.Parse("https://me:hunter2@acme.atlassian.net")).ToString().ShouldNotContain("hunter2");
}
