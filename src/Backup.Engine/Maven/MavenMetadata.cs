using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Backup.Engine.Maven;

/// <summary>maven-metadata.xml (https://maven.apache.org/ref/current/maven-repository-metadata/repository-metadata.html).</summary>
internal static class MavenMetadata
{
    public const string FileName = "maven-metadata.xml";

    private const string StampFormat = "yyyyMMddHHmmss";

    /// <summary>A package's metadata: which versions there are. What was there already is kept.</summary>
    public static byte[] ForPackage(PackageVersionId package, IEnumerable<string> versions, DateTimeOffset now, byte[]? existing)
    {
        var all = versions.Concat(Read(existing)?.Descendants("version").Select(v => v.Value) ?? []).Distinct(StringComparer.Ordinal).Order(VersionOrder.Instance).ToList();
        var versioning = new XElement("versioning", new XElement("latest", all[^1]));
        if (all.LastOrDefault(version => !version.EndsWith("-SNAPSHOT", StringComparison.Ordinal)) is { } release)
            versioning.Add(new XElement("release", release));
        versioning.Add(new XElement("versions", all.Select(version => new XElement("version", version))), new XElement("lastUpdated", Stamp(now)));
        return Write(package, null, versioning);
    }

    /// <summary>A snapshot's metadata: which files its newest build is.</summary>
    public static byte[] ForSnapshot(PackageVersionId build, string snapshot, IEnumerable<string> files, DateTimeOffset now)
    {
        var (timestamp, number) = build.SnapshotBuild!.Value;
        var start = $"{build.Package}-{build.Version}";
        var versions = files.Where(file => file.StartsWith(start, StringComparison.Ordinal)).Select(file =>
        {
            // artifact-version[-classifier].extension
            var rest = file[start.Length..];
            var dot = rest.IndexOf('.', StringComparison.Ordinal);
            var classifier = rest.StartsWith('-') ? (dot < 0 ? rest[1..] : rest[1..dot]) : null;
            return new XElement(
                "snapshotVersion",
                classifier is null ? null : new XElement("classifier", classifier),
                new XElement("extension", dot < 0 ? "" : rest[(dot + 1)..]),
                new XElement("value", build.Version),
                new XElement("updated", timestamp.Replace(".", "", StringComparison.Ordinal)));
        });
        return Write(build, snapshot, new XElement(
            "versioning",
            new XElement("snapshot", new XElement("timestamp", timestamp), new XElement("buildNumber", number.ToString(CultureInfo.InvariantCulture))),
            new XElement("lastUpdated", Stamp(now)),
            new XElement("snapshotVersions", versions)));
    }

    private static byte[] Write(PackageVersionId package, string? version, XElement versioning)
    {
        var root = new XElement("metadata", new XAttribute("modelVersion", "1.1.0"), new XElement("groupId", package.Namespace), new XElement("artifactId", package.Package));
        if (version is not null)
            root.Add(new XElement("version", version));
        root.Add(versioning);
        using var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, new() { Encoding = new UTF8Encoding(false), Indent = true, NewLineChars = "\n" }))
            root.Save(writer);
        return buffer.ToArray();
    }

    private static XElement? Read(byte[]? xml)
    {
        if (xml is null)
            return null;
        try
        {
            using var stream = new MemoryStream(xml);
            return XDocument.Load(stream).Root;
        }
        catch (XmlException)
        {
            // Metadata can be made again, and is.
            return null;
        }
    }

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);
}
