using System.Text;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>One page of a listing: entries and common prefixes in key order, together no more than asked for.</summary>
internal sealed class Page<T>
{
    public List<T> Entries { get; } = [];

    public List<string> CommonPrefixes { get; } = [];

    public bool IsTruncated { get; private set; }

    /// <summary>The last key or prefix on this page.</summary>
    public string Last { get; private set; } = "";

    public int Count => Entries.Count + CommonPrefixes.Count;

    /// <param name="start">The first key that may be listed.</param>
    /// <param name="seenPrefix">A common prefix that an earlier page ended with.</param>
    /// <param name="expand">The entries of a key: none, one, or its versions.</param>
    public static Page<T> Take(
        S3Bucket bucket, string start, string? seenPrefix, string prefix, string? delimiter, int max, Func<string, IEnumerable<T>> expand)
    {
        var page = new Page<T>();
        if (max is 0)
            return page;
        string? from = Utf8Order.Instance.Compare(start, prefix) < 0 ? prefix : start;
        while (from is not null)
            from = page.Walk(bucket.KeysFrom(from), seenPrefix, prefix, delimiter, max, expand);
        return page;
    }

    /// <returns>Where to go on behind a common prefix; null at the end.</returns>
    private string? Walk(IEnumerable<string> keys, string? seenPrefix, string prefix, string? delimiter, int max, Func<string, IEnumerable<T>> expand)
    {
        foreach (var key in keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
                return null;
            var end = string.IsNullOrEmpty(delimiter) ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            if (end >= 0)
            {
                var common = key[..(end + delimiter!.Length)];
                if (common.Equals(seenPrefix, StringComparison.Ordinal))
                    return Behind(common);
                if (!expand(key).Any())
                    continue;
                if (Count == max)
                {
                    IsTruncated = true;
                    return null;
                }

                CommonPrefixes.Add(common);
                Last = common;
                return Behind(common);
            }

            foreach (var entry in expand(key))
            {
                if (Count == max)
                {
                    IsTruncated = true;
                    return null;
                }

                Entries.Add(entry);
                Last = key;
            }
        }

        return null;
    }

    /// <summary>Where the keys that start with a prefix have ended.</summary>
    private static string Behind(string prefix) =>
        char.IsSurrogate(prefix[^1]) || prefix[^1] is '\uD7FF' or '\uFFFF' ? prefix + "\U0010FFFF" : prefix[..^1] + (char)(prefix[^1] + 1);
}

/// <summary>How keys are written in a listing.</summary>
internal sealed class KeyEncoding
{
    private readonly bool _url;

    public KeyEncoding(S3Request request)
    {
        Name = request.Query.GetValueOrDefault("encoding-type");
        _url = Name is "url";
        if (Name is not null && !_url)
            throw S3Error.InvalidArgument("Invalid Encoding Method specified in Request", "encoding-type", Name);
    }

    public string? Name { get; }

    public string? Encode(string? text) => _url && text is not null ? S3Xml.UrlEncode(text) : text;

    public static string Token(string last) => Convert.ToBase64String(Encoding.UTF8.GetBytes(last));

    public static string FromToken(string token)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(token));
        }
        catch (FormatException)
        {
            throw S3Error.InvalidArgument("The continuation token provided is incorrect", "continuation-token", token);
        }
    }
}
