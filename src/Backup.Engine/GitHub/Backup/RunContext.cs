using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>What the parts of one run share.</summary>
/// <param name="Options">What is wanted.</param>
/// <param name="Client">The API.</param>
/// <param name="GitHttp">For refs, packs and LFS.</param>
/// <param name="Git">The histories.</param>
/// <param name="Store">The store.</param>
/// <param name="Writer">The run of the account.</param>
internal sealed record RunContext(GitHubBackupOptions Options, GitHubClient Client, HttpSender GitHttp, GitBackup Git, IObjectStore Store, RunWriter Writer)
{
    public TimeProvider Time => Options.Store.Time;

    /// <summary>The name of the generations that this run makes.</summary>
    public string Generation => $"{Writer.Stamp}-{Writer.RunId}";

    public RecordCollector Records { get; } = new(Client, Store, Options.FullEvery, Options.WhatIf, Options.Store.Time);

    public bool Wants(GitHubContent content) => (Options.Content & content) != GitHubContent.None;
}
