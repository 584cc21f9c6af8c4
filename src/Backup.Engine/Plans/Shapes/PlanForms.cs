namespace Backup.Engine.Plans;

/// <summary>The forms that texts of a plan have, as regular expressions that the schema shares.</summary>
internal static class PlanForms
{
    // What SpanText reads, less what is zero.
    public const string Span = "^([1-9][0-9]{0,4}(\\.[0-9]{1,3})?[smhdw]|(?!(0?0:00:00)$)([0-9]{1,4}\\.)?([01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])$";
    public const string SpanForm = "a span of time, such as 30s, 90m, 26h, 7d, 2w or 01:30:00";

    public const string Address = "^https?://[^\\s]+$";
    public const string AddressForm = "an http or https address";

    public const string Secret = "^(env:[A-Za-z_][A-Za-z0-9_]*|(file|ssm|secret):[^\\s].*)$";
    public const string SecretForm = "a reference to a secret: env:NAME, file:PATH, ssm:/NAME (Parameter Store) or secret:NAME (Secrets Manager)";

    public const string JobName = "^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$";
    public const string JobNameForm = "a name of letters, digits, spaces, dots, hyphens and underscores, 64 at the most, that begins with a letter or digit";

    // Each unit once.
    public const string Retention = "^(?!.*([ldwmy]).*\\1)([1-9][0-9]{0,3}[ldwmy])+$";
    public const string RetentionForm = "a retention, such as 7d4w12m: numbers with d (days), w (weeks), m (months), y (years) or l (last runs), each once";

    public const string Shard = "^[1-9][0-9]{0,2}/[1-9][0-9]{0,2}$";
    public const string ShardForm = "one of several parts, such as 3/8";
}
