using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace AtlassianBackup.Pipeline;

/// <summary>Turns snapshots into progress records: percent, bytes, rate and time left.</summary>
internal sealed class ProgressWriter(TimeProvider time)
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(200);

    // Long enough to smooth out single files, short enough to follow a change of speed.
    private const double SmoothingSeconds = 5;

    private static int _lastId = 41_000;

    private readonly int _id = Interlocked.Increment(ref _lastId);
    private long _dueAt;
    private ProgressSnapshot? _last;
    private long _lastTime;
    private double? _bytesPerSecond;
    private double? _itemsPerSecond;

    /// <summary>Whether the interval has passed; of several threads that ask at once, one is told yes.</summary>
    internal bool IsDue()
    {
        var now = time.GetTimestamp();
        var due = Volatile.Read(ref _dueAt);
        if (now < due)
            return false;
        var next = now + (long)(_interval.TotalSeconds * time.TimestampFrequency);
        return Interlocked.CompareExchange(ref _dueAt, next, due) == due;
    }

    internal ProgressRecord Next(ProgressSnapshot snapshot)
    {
        Measure(snapshot);
        var record = new ProgressRecord(_id, snapshot.Activity.Length > 0 ? snapshot.Activity : "Working", Status(snapshot))
        {
            CurrentOperation = snapshot.Item,
            PercentComplete = Percent(snapshot),
            SecondsRemaining = SecondsLeft(snapshot),
        };
        _last = snapshot;
        return record;
    }

    /// <summary>The record that takes the bar away, or null where none was shown.</summary>
    internal ProgressRecord? Complete()
    {
        if (_last is null)
            return null;
        var record = new ProgressRecord(_id, _last.Activity.Length > 0 ? _last.Activity : "Working", "Done") { RecordType = ProgressRecordType.Completed };
        _last = null;
        _bytesPerSecond = _itemsPerSecond = null;
        return record;
    }

    internal static string Bytes(double bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var unit = 0;
        while (bytes >= 1024 && unit < units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    private void Measure(ProgressSnapshot snapshot)
    {
        var now = time.GetTimestamp();
        // Another activity, or the next folder: the old rate says nothing about it.
        if (_last is null || !string.Equals(_last.Activity, snapshot.Activity, StringComparison.Ordinal)
            || snapshot.BytesDone < _last.BytesDone || snapshot.ItemsDone < _last.ItemsDone)
        {
            _bytesPerSecond = _itemsPerSecond = null;
        }
        else if (time.GetElapsedTime(_lastTime, now).TotalSeconds is > 0 and var seconds)
        {
            var weight = 1 - Math.Exp(-seconds / SmoothingSeconds);
            _bytesPerSecond = Smooth(_bytesPerSecond, (snapshot.BytesDone - _last.BytesDone) / seconds, weight);
            _itemsPerSecond = Smooth(_itemsPerSecond, (snapshot.ItemsDone - _last.ItemsDone) / seconds, weight);
        }

        _lastTime = now;
    }

    private static double Smooth(double? old, double now, double weight) => old is { } value ? value + (weight * (now - value)) : now;

    private string Status(ProgressSnapshot snapshot)
    {
        var text = new StringBuilder();
        text.Append(snapshot.ItemsDone.ToString("N0", CultureInfo.InvariantCulture));
        if (snapshot.ItemsTotal is { } items)
            text.Append(" of ").Append(items.ToString("N0", CultureInfo.InvariantCulture));
        text.Append(" items");
        if (snapshot.BytesDone > 0 || snapshot.BytesTotal > 0)
            text.Append(", ").Append(Bytes(snapshot.BytesDone));
        if (snapshot.BytesTotal is > 0 and var total)
            text.Append(" of ").Append(Bytes(total));
        if (_bytesPerSecond is > 0 and var rate)
            text.Append(", ").Append(Bytes(rate)).Append("/s");
        return text.ToString();
    }

    private static int Percent(ProgressSnapshot snapshot) => snapshot switch
    {
        { BytesTotal: > 0 } => Share(snapshot.BytesDone, snapshot.BytesTotal.Value),
        { ItemsTotal: > 0 } => Share(snapshot.ItemsDone, snapshot.ItemsTotal.Value),
        _ => -1,
    };

    // A source may grow while it is read.
    private static int Share(long done, long total) => (int)Math.Clamp(done * 100.0 / total, 0, 100);

    private int SecondsLeft(ProgressSnapshot snapshot) => snapshot switch
    {
        { BytesTotal: > 0 } when _bytesPerSecond > 0 => Seconds((snapshot.BytesTotal.Value - snapshot.BytesDone) / _bytesPerSecond.Value),
        { ItemsTotal: > 0, BytesTotal: null } when _itemsPerSecond > 0 => Seconds((snapshot.ItemsTotal.Value - snapshot.ItemsDone) / _itemsPerSecond.Value),
        _ => -1,
    };

    private static int Seconds(double seconds) => (int)Math.Clamp(seconds, 0, int.MaxValue);
}
