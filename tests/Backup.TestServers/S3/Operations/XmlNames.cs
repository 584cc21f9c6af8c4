using System.Xml.Linq;

namespace Backup.TestServers.S3.Operations;

/// <summary>Children by local name: clients send S3's documents with its namespace or without.</summary>
internal static class XmlNames
{
    public static XElement? Child(this XElement element, string name) =>
        element.Elements().FirstOrDefault(e => e.Name.LocalName.Equals(name, StringComparison.Ordinal));

    public static IEnumerable<XElement> Children(this XElement element, string name) =>
        element.Elements().Where(e => e.Name.LocalName.Equals(name, StringComparison.Ordinal));
}
