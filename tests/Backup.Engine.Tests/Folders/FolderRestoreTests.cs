using Backup.Engine.Folders;

namespace Backup.Engine.Tests.Folders;

public sealed class FolderRestoreTests
{
    [Theory]
    [InlineData("/srv/photos", "photos")]
    [InlineData("/srv/photos/", "photos")]
    [InlineData(@"D:\Data\Mail", "Mail")]
    public void Of_several_folders_each_keeps_its_name(string folder, string name) =>
        FolderRestore.NameOf(folder, [folder, "/srv/other"]).ShouldBe(name);

    [Theory]
    [InlineData("/a/docs", "/b/docs")]
    [InlineData("/a/docs", "/b/DOCS")]
    [InlineData("/", "/a")]
    [InlineData(@"C:\", @"D:\")]
    [InlineData("/a/..", "/b")]
    public void Where_that_would_not_tell_them_apart_a_hash_does(string folder, string other)
    {
        var name = FolderRestore.NameOf(folder, [folder, other]);
        name.ShouldNotBe(FolderRestore.NameOf(other, [folder, other]), StringComparer.OrdinalIgnoreCase);
        name.ShouldMatch("^([a-z0-9-]+-)?[0-9a-f]{8}$");
    }
}
