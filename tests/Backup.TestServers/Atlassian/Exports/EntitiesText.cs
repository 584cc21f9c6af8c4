using System.Globalization;
using System.Text;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>The text of an <c>entities.xml</c>: head, one numbered object, a block of others, tail.</summary>
/// <param name="Head">The declaration and the root's start tag.</param>
/// <param name="Numbered">An object with a place for nine digits.</param>
/// <param name="NumberAt">Where that place is.</param>
/// <param name="Body">More objects.</param>
/// <param name="Tail">The root's end tag.</param>
/// <param name="Entities">Objects by class in one numbered object and one body.</param>
internal sealed record EntitiesText(byte[] Head, byte[] Numbered, int NumberAt, byte[] Body, byte[] Tail, IReadOnlyDictionary<string, long> Entities)
{
    private const int BodyLength = 48 * 1024;
    private const string Digits = "000000000";

    private static readonly string[] Words = "backup restore release plan meeting notes décision owner risk draft über review sprint goal budget 予定 status".Split(' ');

    // Source of the shape: Confluence's documentation "Retrieving File Attachments from a Backup", XWiki's "Confluence XML Format".
    public static EntitiesText Confluence(int seed) => Create(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hibernate-generic datetime=\"2026-11-20 02:00:00\">\n",
        $"<object class=\"Space\" package=\"com.atlassian.confluence.spaces\">\n<id name=\"id\">{Digits}</id>\n</object>\n",
        "</hibernate-generic>",
        "Space",
        seed,
        (random, number) => (number % 3) switch
        {
            0 => ("Page", $"<object class=\"Page\" package=\"com.atlassian.confluence.pages\">\n<id name=\"id\">{number}</id>\n<property name=\"title\"><![CDATA[{Sentence(random, 4)}]]></property>\n<!-- {number} -->\n</object>\n"),
            1 => ("BodyContent", $"<object class=\"BodyContent\" package=\"com.atlassian.confluence.core\">\n<id name=\"id\">{number}</id>\n<property name=\"body\"><![CDATA[<p>{Sentence(random, 60)} a > b ]] ></p>]]></property>\n</object>\n"),
            _ => ("Attachment", $"<object class=\"Attachment\" package=\"com.atlassian.confluence.pages\">\n<id name=\"id\">{number}</id>\n<property name=\"title\">{Sentence(random, 2)} &amp; more</property>\n</object>\n"),
        });

    // Source of the shape: jira-to-markdown and jira-manglr, which read it; the control character is among those that the latter has to remove first.
    public static EntitiesText Jira(int seed) => Create(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<entity-engine-xml date=\"1795140000000\">\n",
        $"    <Project id=\"{Digits}\" name=\"Project\"/>\n",
        "</entity-engine-xml>\n",
        "Project",
        seed,
        (random, number) => (number % 3) switch
        {
            0 => ("Issue", $"    <Issue id=\"{number}\" key=\"ACME-{number}\" summary='{Sentence(random, 6)} > \u001f'>\n        <description><![CDATA[{Sentence(random, 50)}]]></description>\n    </Issue>\n"),
            1 => ("Action", $"    <Action id=\"{number}\" type=\"comment\" body=\"{Sentence(random, 20)}\"/>\n"),
            _ => ("ChangeItem", $"    <ChangeItem id=\"{number}\" field=\"status\" newstring=\"{Sentence(random, 1)}\"/>\n"),
        });

    private static EntitiesText Create(string head, string numbered, string tail, string numberedClass, int seed, Func<Random, int, (string Class, string Text)> next)
    {
        var random = new Random(seed);
        var body = new StringBuilder();
        var entities = new Dictionary<string, long>(StringComparer.Ordinal) { [numberedClass] = 1 };
        for (var number = 100; body.Length < BodyLength; number++)
        {
            var (name, text) = next(random, number);
            entities[name] = entities.GetValueOrDefault(name) + 1;
            body.Append(text);
        }

        return new(Utf8(head), Utf8(numbered), numbered.IndexOf(Digits, StringComparison.Ordinal), Utf8(body.ToString()), Utf8(tail), entities);
    }

    private static string Sentence(Random random, int words) =>
        string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)])) + random.Next(1000).ToString(CultureInfo.InvariantCulture);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
