#!/usr/bin/env pwsh
<#
.SYNOPSIS
A disaster drill: loses the sources of all five systems, and gives everything back from the backups alone.
.DESCRIPTION
Everything is on the loopback address: an S3 that verifies signatures and checksums, an Atlassian site, a GitHub, a CodeArtifact domain and a fleet of EC2 instances.
Each source is described by a program that knows nothing of this module (Get-FileHash, git, aws), backed up, destroyed together with what this machine remembers of it,
and given back; then it is described again, and the two descriptions have to be the same. The table at the end has a row a system. The exit code is 1 where a row differs.
.EXAMPLE
./tests/Benchmarks/drill.ps1
.EXAMPLE
./tests/Benchmarks/drill.ps1 -Files 100000 -Repositories 200 -Versions 2000 -ExportSize 2GB
#>
[CmdletBinding()]
param(
    # Files in the folder, of 4 KiB on average.
    [ValidateRange(1, 10000000)] [int] $Files = 2000,
    # Repositories of the organization.
    [ValidateRange(1, 100000)] [int] $Repositories = 20,
    # Versions in the Maven repository, with five assets each.
    [ValidateRange(1, 100000)] [int] $Versions = 100,
    # Size of a Confluence export, and of a Jira export.
    [string] $ExportSize = '128MB',
    # The module that is drilled: the one of this checkout, or one that is installed.
    [string] $Module = "$PSScriptRoot/../../AtlassianBackup.psd1"
)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Import-Module $Module -Force
. $PSScriptRoot/../Module.Tests/Servers.ps1

$Work = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "drill-$([guid]::NewGuid())")).FullName
$Servers = [System.Collections.Generic.List[object]]::new()

function Start-Source([string] $Name, [string[]] $Arguments = @()) {
    $server = Start-TestServer $Name $Arguments
    $Servers.Add($server)
    $server
}

# What each system needs: to be made, described, backed up, lost, and given back. What Make returns is handed to the others.
function Invoke-Drill([string] $System, [string] $Lost, [hashtable] $Step) {
    Write-Host "$System…"
    $source = & $Step.Make
    $before = @(& $Step.Describe $source)
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    & $Step.Backup $source
    $backup = $clock.Elapsed
    $size = if ($Step.Store) { (Get-BackupRun $Step.Store -Latest @Store | Measure-Object TotalBytes -Sum).Sum }
    & $Step.Lose $source
    $clock.Restart()
    $source = & $Step.Restore $source
    $restore = $clock.Elapsed
    $after = @(& $Step.Describe $source)
    $differences = if ($before) { @(Compare-Object $before $after -CaseSensitive) }
    $differences | Select-Object -First 5 | ForEach-Object { Write-Warning "${System}: $($_.SideIndicator) $($_.InputObject)" }
    [pscustomobject]@{
        System    = $System
        Lost      = $Lost
        Items     = $before.Count
        Size      = if ($size -ge 1MB) { '{0:n0} MiB' -f ($size / 1MB) } elseif ($size) { '{0:n0} KiB' -f ($size / 1KB) } else { '–' }
        Backup    = '{0:n1} s' -f $backup.TotalSeconds
        Restore   = '{0:n1} s' -f $restore.TotalSeconds
        # Nothing described is nothing proven.
        Identical = $before.Count -gt 0 -and $differences.Count -eq 0
    }
}

function Assert-Completed($Result) {
    if (-not $Result -or $Result.Outcome -contains 'Failed') { throw "The run ended as $($Result.Outcome): $($Result.Reason)" }
}

$Folders = @{
    Store    = 's3://drill/folders'
    Make     = {
        $source = "$Work/folder"
        New-Source $source -BigBytes 50MB
        $random = [random]::new(1)
        foreach ($i in 1..$Files) {
            $folder = [IO.Directory]::CreateDirectory("$source/many/$($i % 100)").FullName
            $bytes = [byte[]]::new($random.Next(8192))
            $random.NextBytes($bytes)
            [IO.File]::WriteAllBytes("$folder/$i.bin", $bytes)
        }
        $source
    }
    Describe = { param($source) Get-Tree $source }
    Backup   = {
        param($source)
        Assert-Completed (Sync-FolderToS3 $source s3://drill/folders @Store -StorageClass STANDARD -CachePath "$Work/cache")
    }
    Lose     = { param($source) Remove-Item $source, "$Work/cache" -Recurse -Force }
    Restore  = { param($source) Assert-Completed (Restore-FolderFromS3 $source s3://drill/folders -Destination $source @Store); $source }
}

$Atlassian = @{
    Store    = 's3://drill/atlassian'
    Make     = {
        $site = Start-Source atlassian '--export-size', $ExportSize, '--existing', '1', '--polls', '1'
        $basic = [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes('admin@example.com:classic-api-token'))
        @{ Site = $site; Headers = @{ Authorization = "Basic $basic"; Accept = 'application/json' } }
    }
    Describe = {
        param($source)
        if ($source.Restored) { return (Get-FileHash (Get-ChildItem $source.Restored -Recurse -File)).Hash | Sort-Object }
        $confluence = Invoke-RestMethod "$($source.Site.Url)/wiki/rest/obm/1.0/getprogress.json" -Headers $source.Headers
        $jira = Invoke-RestMethod "$($source.Site.Url)/rest/backup/1/export/lastTaskId" -Headers $source.Headers
        $progress = Invoke-RestMethod "$($source.Site.Url)/rest/backup/1/export/getProgress?taskId=$jira" -Headers $source.Headers
        foreach ($path in "wiki/download/$($confluence.fileName)", "plugins/servlet/$($progress.result)") {
            $file = "$Work/export"
            $null = Invoke-WebRequest "$($source.Site.Url)/$path" -Headers $source.Headers -OutFile $file
            $hash += @((Get-FileHash $file).Hash)
        }
        $hash | Sort-Object
    }
    Backup   = {
        param($source)
        $options = @{ User = 'admin@example.com'; ApiToken = 'env:DRILL_TOKEN'; MaxAge = '7.00:00:00'; PollInterval = '00:00:00.2'; StorageClass = 'STANDARD' }
        $env:DRILL_TOKEN = 'classic-api-token'
        Assert-Completed (Invoke-ConfluenceBackup $source.Site.Url s3://drill/atlassian @options @Store)
        Assert-Completed (Invoke-JiraBackup $source.Site.Url s3://drill/atlassian @options @Store)
    }
    Lose     = { param($source) Stop-Server $source.Site }
    Restore  = {
        param($source)
        foreach ($system in 'confluence', 'jira') { Assert-Completed (Get-BackupRun s3://drill/atlassian -System $system -Latest @Store | Restore-BackupRun -To "$Work/exports/$system" @Store) }
        @{ Restored = "$Work/exports" }
    }
}

$GitHub = @{
    Store    = 's3://drill/github'
    Make     = { Start-Source github '--repositories', $Repositories, '--token', $env:TOKEN_GITHUB }
    # git's own list: the same names at the same hashes are the same history.
    Describe = {
        param($server)
        $owner = if ($server.IsCopy) { 'copier' } else { 'acme' }
        $header = 'Authorization: Basic ' + [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes('x-access-token:' + $env:TOKEN_GITHUB))
        foreach ($name in $script:RepositoryNames) {
            $refs = git -c "http.extraHeader=$header" ls-remote "$($server.Url)/$owner/$name.git" 'refs/heads/*' 'refs/tags/*'
            if ($LASTEXITCODE) { throw "git ls-remote of $name failed." }
            $refs | ForEach-Object { "$name $_" }
        }
    }
    Backup   = {
        param($server)
        Assert-Completed (Backup-GitHubRepos s3://drill/github -ApiUri "$($server.Url)/api/v3" -Organization acme -StorageClass STANDARD @Store)
    }
    Lose     = { param($server) Stop-Server $server }
    Restore  = {
        param($server)
        $copy = Start-Source github '--login', 'copier', '--token', $env:TOKEN_GITHUB
        Assert-Completed (Restore-GitHubRepos 'acme/*' s3://drill/github -ApiUri "$($copy.Url)/api/v3" -Owner copier -WritesPerMinute 60000 @Store)
        $copy | Add-Member IsCopy $true -PassThru
    }
}

function Use-CodeArtifact($Server) { $env:AWS_ENDPOINT_URL_CODEARTIFACT = $Server.Url }
$Maven = @{
    Store    = 's3://drill/maven'
    Make     = {
        $server = Start-Source codeartifact
        Use-CodeArtifact $server
        $headers = @{ Authorization = 'Bearer ca-token-0123456789' }
        foreach ($i in 1..$Versions) {
            $base = "$($server.Url)/d/my-domain/maven/my-repo/com/example/library"
            foreach ($suffix in '.pom', '.jar', '-sources.jar', '-javadoc.jar', '-linux.jar') {
                $body = [Text.Encoding]::UTF8.GetBytes("library 1.$i $suffix " * 400)
                $null = Invoke-WebRequest "$base/1.$i/library-1.$i$suffix" -Method Put -Headers $headers -Body $body -ContentType application/octet-stream
            }
            $null = Invoke-WebRequest "$base/maven-metadata.xml" -Method Put -Headers $headers -Body "<metadata><versioning><versions><version>1.$i</version></versions></versioning></metadata>" -ContentType application/octet-stream
        }
        $server
    }
    Describe = {
        param($server)
        foreach ($i in 1..$Versions) {
            $listed = aws codeartifact list-package-version-assets --endpoint-url $server.Url --domain my-domain --repository my-repo --format maven --namespace com.example --package library --package-version "1.$i" | ConvertFrom-Json
            if ($LASTEXITCODE) { throw 'aws codeartifact failed.' }
            foreach ($asset in $listed.assets) { "1.$i $($asset.name) $($asset.size) $($asset.hashes.'SHA-256')" }
        }
    }
    Backup   = {
        Assert-Completed (Backup-MavenPackage s3://drill/maven -Domain my-domain -Repository my-repo -All -StorageClass STANDARD @Store)
    }
    Lose     = { param($server) Stop-Server $server }
    Restore  = {
        $server = Start-Source codeartifact
        Use-CodeArtifact $server
        Assert-Completed (Get-BackupRun s3://drill/maven -Latest @Store | Restore-MavenPackage @Store)
        $server
    }
}

# What is lost here is the machine that drives the backup, killed while an instance is down: the instance has to come back by itself alone.
$Instances = @{
    Make     = {
        $server = Start-Source fleet '--instance', 'i-00000000000000001', '--stopped', 'i-00000000000000002', '--job-time', '3'
        foreach ($service in 'EC2', 'SSM', 'BACKUP', 'IAM') { Set-Item "env:AWS_ENDPOINT_URL_$service" $server.Url }
        $server
    }
    Describe = {
        param($server)
        aws ec2 describe-instances --endpoint-url $server.Url --query 'Reservations[].Instances[].[InstanceId,State.Name]' --output text
        if ($LASTEXITCODE) { throw 'aws ec2 failed.' }
    }
    Backup   = {
        param($server)
        $command = "Import-Module '$Module'; Start-PrePostBackup i-00000000000000001, i-00000000000000002 -BackupVaultName vault -IamRoleArn arn:aws:iam::123456789012:role/backup -PreScript 'echo frozen' -PostScript 'echo thawed' -StopInstance -Destination '$Work/ec2'"
        $runner = Start-Process pwsh -ArgumentList '-NoProfile', '-NonInteractive', '-EncodedCommand', ([Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($command))) -PassThru -RedirectStandardOutput "$Work/runner.log" -RedirectStandardError "$Work/runner.err"
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        while ((Read-Log $server) -notmatch '(?m)^StartBackupJob ') {
            if ($runner.HasExited -or $clock.Elapsed.TotalSeconds -gt 60) { throw "No backup job was started: $(Get-Content "$Work/runner.log", "$Work/runner.err" -Raw)" }
            Start-Sleep -Milliseconds 50
        }
        $runner.Kill()
        $runner.WaitForExit()
    }
    Lose     = { }
    Restore  = {
        param($server)
        $results = Get-PrePostBackup "$Work/ec2" | Resume-PrePostBackup
        Assert-Completed $results
        $jobs = @($results.BackupJobId | Sort-Object -Unique).Count
        $started = @((Read-Log $server) -split '\r?\n' -match '^StartBackupJob ').Count
        if ($started -lt $jobs -or $jobs -ne 2) { throw "$jobs jobs for two instances." }
        $server
    }
}

try {
    $strict = Start-Source s3 '--bucket', 'drill', '--data', "$Work/s3"
    $Store = @{ EndpointUrl = $strict.Url; Region = 'us-east-1' }
    $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY, $env:AWS_DEFAULT_REGION, $env:AWS_REGION = 'test', 'testsecret', 'us-east-1', 'us-east-1'
    aws s3api put-bucket-versioning --endpoint-url $strict.Url --bucket drill --versioning-configuration Status=Enabled
    $env:TOKEN_GITHUB = 'ghp_loopbackTokenOfTheDrill0123456789abcd'
    $script:RepositoryNames = 1..$Repositories | ForEach-Object { 'repo-{0:d4}' -f $_ }
    $rows = @(
        Invoke-Drill Folders 'the folder, and the cache' $Folders
        Invoke-Drill 'Confluence, Jira' 'the site' $Atlassian
        Invoke-Drill GitHub 'the server' $GitHub
        Invoke-Drill Maven 'the domain' $Maven
        Invoke-Drill EC2 'the runner, killed with an instance down' $Instances
    )
    foreach ($system in 'folders', 'atlassian', 'github', 'maven') {
        if (-not (Test-BackupRun "s3://drill/$system" -Deep @Store)) { Write-Warning "The runs of $system are not whole."; $broken = $true }
    }
    ($rows | Format-Table -AutoSize | Out-String -Width 160).Trim() | Out-Host
    if ($broken -or $rows.Identical -contains $false) { exit 1 }
}
finally {
    $Servers | Where-Object { -not $_.Process.HasExited } | ForEach-Object { Stop-Server $_ }
    Get-ChildItem env: | Where-Object Name -Match '^(AWS_|TOKEN_GITHUB$|DRILL_TOKEN$)' | Remove-Item
    Remove-Item $Work -Recurse -Force
}
