using System.Text;
using Backup.Engine.Files;
using FsCheck;
using FsCheck.Fluent;

namespace Backup.Engine.Tests.Files;

public class PathEncodingTests
{
    // Bytes that meet the rules often: percent signs, hexadecimal digits, tildes, pieces of UTF-8.
    private static readonly Arbitrary<byte[]> Names = Gen.ArrayOf(Gen.OneOf(
        Gen.Choose(1, 255).Select(i => (byte)i),
        Gen.Elements<byte>((byte)'%', (byte)'~', (byte)'2', (byte)'5', (byte)'F', (byte)'f', 0xED, 0xA0, 0x80, 0xEF, 0xBF, 0xBE, 0xC3, 0xA9, 0x1F))).ToArbitrary();

    [Theory]
    [InlineData("plain.txt")]
    [InlineData("with space, é, 田中, 👾")]
    [InlineData("100%")]
    [InlineData("50% off")]
    [InlineData("%G0")]
    [InlineData("%%")]
    [InlineData("~")]
    [InlineData("\\:*?\"<>|")]
    public void Ordinary_names_stay_as_they_are(string name) => PathEncoding.Encode(name).ShouldBe(name);

    [Theory]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("\x7f", "%7F")]
    [InlineData("%41", "%2541")]
    [InlineData("%4a", "%254a")]
    [InlineData("%~", "%25~")]
    [InlineData("\ufffe\uffff", "%EF%BF%BE%EF%BF%BF")]
    public void Hostile_characters_become_bytes(string name, string encoded)
    {
        PathEncoding.Encode(name).ShouldBe(encoded);
        PathEncoding.TryDecodeToString(encoded).ShouldBe(name);
    }

    [Fact]
    public void Lone_surrogates_become_bytes()
    {
        PathEncoding.Encode("\ud83d").ShouldBe("%ED%A0%BD");
        PathEncoding.Encode("\ude00\ud83d").ShouldBe("%ED%B8%80%ED%A0%BD");
        PathEncoding.TryDecodeToString("%ED%B8%80%ED%A0%BD").ShouldBe("\ude00\ud83d");
        PathEncoding.TryDecodeToString("%FF").ShouldBeNull("UTF-16 has no such name");
        PathEncoding.TryDecode("\ud83d").ShouldBeNull("it is no text");
    }

    [Fact]
    public void Invalid_utf8_becomes_bytes() => PathEncoding.Encode([(byte)'a', 0xFF, 0xC3, (byte)'b']).ShouldBe("a%FF%C3b");

    [Fact]
    public void Any_bytes_come_back_and_the_text_is_well_formed() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5_000),
        Prop.ForAll(Names, name =>
        {
            var encoded = PathEncoding.Encode(name);
            return PathEncoding.TryDecode(encoded)!.SequenceEqual(name)
                && string.Equals(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(encoded)), encoded, StringComparison.Ordinal)
                && !encoded.Contains("%~", StringComparison.Ordinal)
                && !encoded.Any(c => c < 0x20 || c is '\x7f' or '\ufffe' or '\uffff');
        }));

    [Fact]
    public void Any_utf16_name_comes_back() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5_000),
        Prop.ForAll(
            Gen.ArrayOf(Gen.OneOf(Gen.Choose(1, 0xFFFF), Gen.Choose(0xD800, 0xDFFF), Gen.Elements('%', '~', '4', 'A').Select(c => (int)c)).Select(i => (char)i)).ToArbitrary(),
            units => string.Equals(PathEncoding.TryDecodeToString(PathEncoding.Encode(new string(units))), new string(units), StringComparison.Ordinal)));

    [Fact]
    public void Text_that_decodes_is_the_only_text_of_its_name() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5_000),
        Prop.ForAll(
            Gen.ArrayOf(Gen.Elements('%', '~', '2', '5', 'F', 'f', 'a', '/', '\ud83d', 'é')).ToArbitrary(),
            text => PathEncoding.TryDecode(text) is not { } name || string.Equals(PathEncoding.Encode(name), new string(text), StringComparison.Ordinal)));

    [Fact]
    public void Hostile_names_come_back_and_stay_apart()
    {
        var encoded = HostileNames.All.Select(name => PathEncoding.Encode(name)).ToList();
        encoded.Zip(HostileNames.All).ShouldAllBe(pair => PathEncoding.TryDecode(pair.First)!.SequenceEqual(pair.Second));
        encoded.Distinct(StringComparer.Ordinal).Count().ShouldBe(HostileNames.All.Select(Convert.ToHexString).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a//")]
    [InlineData("..%2Fb")]
    [InlineData("%2E%2E/b")]
    [InlineData("a%00b")]
    [InlineData("a%0a")]
    public void Paths_that_could_lead_out_are_refused(string path) =>
        Should.Throw<BackupException>(() => PathEncoding.DecodePath(path)).Kind.ShouldBe(FailureKind.InvalidInput);

    [Fact]
    public void Order_is_that_of_the_bytes()
    {
        string[] paths = ["a.txt", "a/", "a/b", "a0", "\ue000", "\U00010000", "b"];
        paths.Order(Utf8Order.Instance).ShouldBe(paths.OrderBy(path => Convert.ToHexString(Encoding.UTF8.GetBytes(path)), StringComparer.Ordinal));
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5_000),
            Prop.ForAll(Names, Names, (x, y) =>
            {
                var (a, b) = (PathEncoding.Encode(x), PathEncoding.Encode(y));
                return Math.Sign(Utf8Order.Compare(a, b)) == Math.Sign(Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));
            }));
    }
}
