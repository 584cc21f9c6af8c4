using System.Text;
using System.Xml;
using Backup.Engine.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian.Exports;

public sealed class XmlProofTests
{
    private const string Document =
        "\uFEFF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made <by> a-test - -->\n<entity-engine-xml date='1' xmlns:ns='urn:x'>\n"
        + "<Issue id=\"1\" summary='a \"quoted\" > b' ><description><![CDATA[ <not> ]] ] ]&gt; ]]]]></description><empty/><e a=\"/\" /></Issue >"
        + "<?target some ? > data??><ns:Action a=\"1\"\n\tb = '2'>text &amp; é 予定</ns:Action>\n</entity-engine-xml>\n<!--after-->\n";

    [Fact]
    public void A_document_is_complete_at_its_end_and_at_no_place_before()
    {
        var bytes = Encoding.UTF8.GetBytes(Document);
        Problem(bytes).ShouldBeNull();
        IsWellFormed(bytes).ShouldBeTrue();
        for (var length = 0; length < bytes.Length; length++)
        {
            // A cut behind the root, before or after the comment there, leaves a complete document.
            var cut = bytes[..length];
            (Problem(cut) is null).ShouldBe(IsWellFormed(cut), $"cut to {length}: {Problem(cut)}");
        }
    }

    [Fact]
    public void The_bytes_may_arrive_in_any_pieces()
    {
        var bytes = Encoding.UTF8.GetBytes(Document);
        for (var size = 1; size < 40; size++)
            Problem(bytes, size).ShouldBe(Problem(bytes, bytes.Length));
        for (var at = 0; at < bytes.Length; at++)
        {
            var bad = (byte[])bytes.Clone();
            bad[at] = (byte)'<';
            Problem(bad, 1).ShouldBe(Problem(bad, bad.Length));
        }
    }

    // .NET's reader is the judge wherever the two mean to agree: whatever it takes, this takes.
    [Fact]
    public void What_a_real_reader_takes_is_never_refused_and_broken_nesting_is_refused_by_both()
    {
        var random = new Random(1);
        var (taken, refused) = (0, 0);
        for (var round = 0; round < 4000; round++)
        {
            var text = new StringBuilder("<r>");
            Write(text, random, 3);
            text.Append("</r>");
            var bytes = Encoding.UTF8.GetBytes(text.ToString());
            IsWellFormed(bytes).ShouldBeTrue();
            Problem(bytes).ShouldBeNull(text.ToString());

            // Leave something out, put something in.
            var at = random.Next(bytes.Length);
            var pieces = "< > / ' \" </a> <a> <!-- --> ]]> <![CDATA[ = &lt; ?>".Split(' ');
            byte[] changed = [.. bytes[..at], .. random.Next(2) == 0 ? Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]) : [], .. bytes[Math.Min(bytes.Length, at + random.Next(4))..]];
            if (IsWellFormed(changed))
            {
                taken++;
                Problem(changed).ShouldBeNull(Encoding.UTF8.GetString(changed));
            }
            else if (Problem(changed) is not null)
            {
                refused++;
            }
        }

        taken.ShouldBeGreaterThan(100);
        refused.ShouldBeGreaterThan(1000);
    }

    [Theory]
    [InlineData("<a><b></a></b>", "closes another element than <b>")]
    [InlineData("<a></a><b/>", "second root")]
    [InlineData("<a></a>text", "after its root")]
    [InlineData("<a", "before its root element does|<a> still open")]
    [InlineData("<a><b x=1/></a>", "not quoted")]
    [InlineData("<a b></a>", "without a value")]
    [InlineData("<a><b x='1'y='2'/></a>", "no space")]
    [InlineData("<a></abc></a>", "another element than <a>")]
    [InlineData("<abc></a>", "another element than <abc>")]
    [InlineData("</a>", "not open")]
    [InlineData("", "before its root")]
    [InlineData("no xml", "does not begin as XML")]
    [InlineData("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type")]
    [InlineData("<!ENTITY x 'y'><a/>", "begins nothing")]
    public void What_is_wrong_is_said(string text, string expected) =>
        expected.Split('|').ShouldContain(part => Problem(Encoding.UTF8.GetBytes(text))!.Contains(part, StringComparison.Ordinal));

    // jira-manglr has to take these out of real exports before it can read them; Atlassian's own pages tell of U+FFFF in Confluence's.
    [Fact]
    public void Characters_that_exports_hold_though_XML_forbids_them_are_let_through()
    {
        var bytes = Encoding.UTF8.GetBytes("<a t=\"\f\u0003\u001E\u001F\u0008\u0010\u000B\u001B\"><![CDATA[\uFFFF\u0001]]>\u0002&#0;</a>");
        IsWellFormed(bytes).ShouldBeFalse();
        Problem(bytes).ShouldBeNull();
    }

    [Fact]
    public void UTF_16_is_told() => Problem(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("<a/>")).ToArray()).ShouldNotBeNull();

    [Fact]
    public void Hostile_documents_cost_no_memory()
    {
        Problem(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a>", 300)))).ShouldNotBeNull().ShouldContain("deeper");
        Problem(Encoding.UTF8.GetBytes("<" + new string('a', 100_000))).ShouldNotBeNull().ShouldContain("names that are longer");

        var proof = new XmlProof();
        proof.Append("<a b=\""u8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var chunk = new byte[1 << 20];
        chunk.AsSpan().Fill((byte)'x');
        for (var i = 0; i < 200; i++)
            proof.Append(chunk);
        proof.Append("\"><![CDATA["u8);
        for (var i = 0; i < 200; i++)
            proof.Append(chunk);
        proof.Append("]]></a>"u8);
        proof.End();
        proof.Problem.ShouldBeNull();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2 << 20);
    }

    private static string? Problem(byte[] bytes, int size = int.MaxValue)
    {
        var proof = new XmlProof();
        foreach (var chunk in bytes.Chunk(size))
            proof.Append(chunk);
        proof.End();
        return proof.Problem;
    }

    private static bool IsWellFormed(byte[] bytes)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes), new() { DtdProcessing = DtdProcessing.Prohibit });
            while (reader.Read())
            {
            }

            return true;
        }
        catch (XmlException)
        {
            return false;
        }
    }

    private static void Write(StringBuilder text, Random random, int depth)
    {
        for (var i = random.Next(4); i > 0; i--)
        {
            var name = "a b cd e-f _g".Split(' ')[random.Next(5)];
            switch (random.Next(depth > 0 ? 6 : 4))
            {
                case 0:
                    text.Append("some > text &amp; more");
                    break;
                case 1:
                    text.Append("<![CDATA[ < & ]] > ]").Append(random.Next(2) == 0 ? "]" : "").Append("]]>");
                    break;
                case 2:
                    text.Append("<!-- < a - > -->");
                    break;
                case 3:
                    text.Append($"<{name} x='\"1\">' y=\"'/\"{(random.Next(2) == 0 ? " " : "")}/>");
                    break;
                default:
                    text.Append($"<{name}{(random.Next(2) == 0 ? "\n z = 'v' " : "")}>");
                    Write(text, random, depth - 1);
                    text.Append($"</{name}{(random.Next(2) == 0 ? " " : "")}>");
                    break;
            }
        }
    }
}
