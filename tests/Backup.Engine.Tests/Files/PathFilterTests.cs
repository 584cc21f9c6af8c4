using Backup.Engine.Files;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.FileSystemGlobbing;

namespace Backup.Engine.Tests.Files;

public class PathFilterTests
{
    [Fact]
    public void No_patterns_are_no_filter() => PathFilter.Create(null, []).ShouldBeNull();

    [Fact]
    public void Empty_pattern_is_refused() =>
        Should.Throw<BackupException>(() => PathFilter.Create(["  "], null)).Kind.ShouldBe(FailureKind.InvalidInput);

    [Fact]
    public void Excluded_directories_are_not_opened()
    {
        var filter = PathFilter.Create(null, ["**/node_modules/", "bin/", "*.tmp"])!;
        filter.Includes("node_modules/").ShouldBeFalse();
        filter.Includes("src/a/node_modules/").ShouldBeFalse();
        filter.Includes("src/a/node_modules/x.js").ShouldBeFalse();
        filter.Includes("bin/").ShouldBeFalse();
        filter.Includes("src/bin/").ShouldBeTrue();
        filter.Includes("x.tmp").ShouldBeFalse();
        filter.Includes("src/x.tmp").ShouldBeTrue();
    }

    [Fact]
    public void Directories_that_cannot_hold_a_match_are_not_opened()
    {
        var filter = PathFilter.Create(["src/**/*.cs"], null)!;
        filter.Includes("src/").ShouldBeTrue();
        filter.Includes("docs/").ShouldBeFalse();
        filter.Includes("src/a/b.cs").ShouldBeTrue();
        filter.Includes("src/a/b.txt").ShouldBeFalse();
    }

    [Fact]
    public void Case_counts_where_the_system_says_so()
    {
        PathFilter.Create(["*.TXT"], null, ignoreCase: true)!.Includes("a.txt").ShouldBeTrue();
        PathFilter.Create(["*.TXT"], null, ignoreCase: false)!.Includes("a.txt").ShouldBeFalse();
    }

    [Fact]
    public void Files_match_as_the_library_has_it_in_any_order()
    {
        var names = Gen.Elements("a", "b", "bin", "x.tmp", "y.cs");
        var paths = Gen.ListOf(Gen.Choose(1, 4).SelectMany(n => Gen.ArrayOf(names, n)).Select(parts => string.Join('/', parts)), 30);
        var patterns = Gen.Choose(0, 2).SelectMany(n => Gen.ArrayOf(Gen.Elements("**/*.tmp", "bin/", "**/bin/", "a/**/b", "a/*", "*", "*.cs", "**", "b", "a/b/**/*.cs", "**/a/*.tmp", "x*"), n));
        var cases = from include in patterns from exclude in patterns from list in paths select (include, exclude, list);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000), Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var matcher = new Matcher(StringComparison.Ordinal);
            matcher.AddIncludePatterns(one.include.Length > 0 ? one.include : ["**"]);
            matcher.AddExcludePatterns(one.exclude);
            var filter = PathFilter.Create(one.include, one.exclude, ignoreCase: false);
            return one.list.All(path => (filter?.Includes(path) ?? true) == matcher.Match(path).HasMatches);
        }));
    }
}
