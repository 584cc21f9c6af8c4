using System.Text;
using Backup.Engine.Folders;
using Backup.Engine.Tests.Files;

namespace Backup.Engine.Tests.Folders;

public class ObjectKeysTests
{
    [Theory]
    [InlineData("/data/x", "data/x/")]
    [InlineData("/data/x/", "data/x/")]
    [InlineData("/", "")]
    [InlineData("/a\nb", "a%0Ab/")]
    [InlineData(@"C:\Data", "C/Data/")]
    [InlineData(@"c:\", "C/")]
    [InlineData(@"\\server\share\x", "UNC/server/share/x/")]
    [InlineData(@"\\?\C:\Data", "C/Data/")]
    [InlineData(@"\\?\UNC\server\share", "UNC/server/share/")]
    public void Root_is_the_absolute_path(string folder, string root) => new ObjectKeys(folder).Root.ShouldBe(root);

    [Theory]
    [InlineData("relative/x")]
    [InlineData("")]
    public void Relative_folder_is_refused(string folder) =>
        Should.Throw<BackupException>(() => new ObjectKeys(folder)).Kind.ShouldBe(FailureKind.InvalidInput);

    [Theory]
    [InlineData("/_catalog", "a", "%5Fcatalog/a")]
    [InlineData("/", "_catalog", "%5Fcatalog")]
    [InlineData("/", "_catalog/", "%5Fcatalog/")]
    [InlineData("/", "_catalog/x", "%5Fcatalog/x")]
    [InlineData("/", "_catalogue", "_catalogue")]
    [InlineData("/", "%255Fcatalog", "%255Fcatalog")]
    [InlineData("/data", "_catalog/x", "data/_catalog/x")]
    public void Catalog_is_kept_free(string folder, string path, string key)
    {
        var keys = new ObjectKeys(folder);
        keys.Key(path).ShouldBe(key);
        keys.TryGetPath(key, out var back).ShouldBeTrue();
        back.ShouldBe(path);
    }

    [Theory]
    [InlineData(0, 'a')]
    [InlineData(0, 'é')]
    [InlineData(0, '田')]
    [InlineData(100, '田')]
    public void Long_key_is_cut_at_a_character_and_told_apart_by_its_hash(int prefixBytes, char letter)
    {
        var keys = new ObjectKeys("/data", prefixBytes);
        var path = string.Join('/', Enumerable.Repeat(new string(letter, 60), 20));
        var key = keys.Key(path);
        Encoding.UTF8.GetByteCount(key).ShouldBeInRange(ObjectKeys.MaxBytes - prefixBytes - 3, ObjectKeys.MaxBytes - prefixBytes);
        key.ShouldStartWith("data/" + letter);
        key.Contains('\ufffd', StringComparison.Ordinal).ShouldBeFalse();
        ObjectKeys.IsShortened(key).ShouldBeTrue();
        keys.TryGetPath(key, out _).ShouldBeFalse();
        string.Equals(keys.Key(path + "b"), key, StringComparison.Ordinal).ShouldBeFalse();
    }

    [Fact]
    public void Only_what_exceeds_the_limit_is_cut()
    {
        var keys = new ObjectKeys("/d");
        keys.Key(new string('a', 1022)).Length.ShouldBe(1024);
        ObjectKeys.IsShortened(keys.Key(new string('a', 1022))).ShouldBeFalse();
        ObjectKeys.IsShortened(keys.Key(new string('a', 1023))).ShouldBeTrue();
    }

    [Fact]
    public void Key_of_another_folder_has_no_path_here()
    {
        new ObjectKeys("/data/x").TryGetPath("data/xy/a", out _).ShouldBeFalse();
        new ObjectKeys("/data/x").TryGetPath("data/x/", out _).ShouldBeFalse();
    }
}
