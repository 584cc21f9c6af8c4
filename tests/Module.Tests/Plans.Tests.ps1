# One plan with all five systems, on the loopback servers: looked at, shown, run, and run again with a job that fails in its middle.
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    . $PSScriptRoot/AtlassianServers.ps1
    Import-Module $ModulePath
    Get-ChildItem env: | Where-Object Name -In 'TOKEN_GITHUB', 'GH_TOKEN', 'GITHUB_TOKEN', 'BACKUP_ONLY_OWNER_REPOS' | Remove-Item
    $Root = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "plans-$([guid]::NewGuid())")).FullName
    $GitHubToken = 'ghp_loopbackTokenOfThePlans0123456789'
    $Instance = 'i-00000000000000001'
    $Servers = @{}

    function Start-Peer([string] $Name, [string[]] $Arguments) {
        $server = Start-TestServer $Name $Arguments
        if (-not $Servers.ContainsKey($Name)) { $Servers[$Name] = $server }
        $server
    }

    # What would change something, as the servers saw it since they had said so much.
    function Get-Mark { $marks = @{}; Start-Sleep -Milliseconds 300; foreach ($name in $Servers.Keys) { $marks[$name] = (Read-Log $Servers[$name]).Length }; $marks }
    function Get-Change([hashtable] $Since) {
        Start-Sleep -Milliseconds 300
        foreach ($name in $Servers.Keys) {
            $lines = (Read-Log $Servers[$name]).Substring($Since[$name]) -split '\r?\n' | Where-Object { $_ }
            switch ($name) {
                's3' { $lines | Where-Object { $_ -match '^\d+ \w+ (PUT|POST|DELETE) ' } }
                'atlassian' { $lines | Where-Object { $_ -match '^\d+ (site|media) (?!GET)' } }
                'github' { $lines | Where-Object { $_ -match '\b(PUT|PATCH|DELETE)\b|\bPOST\b(?!.*git-upload-pack)' } }
                'codeartifact' { $lines | Where-Object { $_ -match ' PUT ' -or $_ -match 'update_status|/publish$|/delete$' } }
                'fleet' { $lines | Where-Object { $_ -match '^(Send|Cancel|Stop|Start|Terminate)' } }
                'aws' { $lines | Where-Object { $_ -notmatch 'GetCallerIdentity|GetParameter|GetSecretValue' -and $_ -match '^\d+ ' } }
            }
        }
    }

    $S3 = Start-Peer s3 '--verbose', '--bucket', 'backup', '--region', 'eu-central-1'
    $Site = Start-Peer atlassian '--verbose', '--polls', '1', '--token', $AtlassianToken, '--export-size', '1MB'
    $GitHub = Start-Peer github '--verbose', '--repositories', '3', '--token', $GitHubToken
    $Packages = Start-Peer codeartifact '--verbose'
    $Fleet = Start-Peer fleet '--instance', $Instance
    $Aws = Start-Peer aws '--parameter', "/backup/atlassian=$AtlassianToken", '--secret', "github={`"token`":`"$GitHubToken`"}"

    $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY = 'test', 'testsecret'
    $env:AWS_ENDPOINT_URL_CODEARTIFACT = $Packages.Url
    foreach ($service in 'EC2', 'SSM', 'BACKUP', 'IAM') { Set-Item "env:AWS_ENDPOINT_URL_$service" $Fleet.Url }
    foreach ($service in 'STS', 'SECRETS_MANAGER') { Set-Item "env:AWS_ENDPOINT_URL_$service" $Aws.Url }
    $env:PLAN_TEST_TOKEN = $AtlassianToken

    $base = "$($Packages.Url)/d/my-domain/maven/my-repo/com/example/lib"
    $headers = @{ Authorization = 'Bearer ca-token-0123456789' }
    foreach ($suffix in '.pom', '.jar') { $null = Invoke-WebRequest "$base/1.0/lib-1.0$suffix" -Method Put -Headers $headers -Body "lib $suffix" -ContentType application/octet-stream }
    $null = Invoke-WebRequest "$base/maven-metadata.xml" -Method Put -Headers $headers -Body '<metadata><versioning><versions><version>1.0</version></versions></versioning></metadata>' -ContentType application/octet-stream

    New-Source "$Root/src" 2MB
    Set-Content "$Root/plan.yaml" @"
# All five systems.
version: 1
destination: s3://backup/main
endpointUrl: $($S3.Url)
region: eu-central-1
storageClass: STANDARD
keep: 7d4w12m
throttle: 3
jobs:
  - name: scans
    system: folders
    path: src
    cachePath: cache
  - name: wiki
    system: confluence
    site: $($Site.Url)
    user: admin@example.com
    apiToken: env:PLAN_TEST_TOKEN
    pollInterval: 1s
  - name: issues
    system: jira
    site: $($Site.Url)
    user: admin@example.com
    apiToken: env:PLAN_TEST_TOKEN
    pollInterval: 1s
  - name: code
    system: github
    organization: acme
    apiUri: $($GitHub.Url)/api/v3
    token: secret:github#token
  - name: packages
    system: maven
    domain: my-domain
    repository: my-repo
  - name: machines
    system: ec2
    instanceId: $Instance
    backupVaultName: vault
    iamRoleArn: arn:aws:iam::123456789012:role/backup
    preScript: echo frozen
    postScript: echo thawed
    stopInstance: true
"@
    $Systems = [ordered]@{ scans = 'folders'; wiki = 'confluence'; issues = 'jira'; code = 'github'; packages = 'maven'; machines = 'ec2' }
    $Store = @{ EndpointUrl = $S3.Url; Region = 'eu-central-1' }
}

AfterAll {
    $Servers.Values | ForEach-Object { Stop-Server $_ }
    Get-ChildItem env: | Where-Object Name -Like 'AWS_*' | Remove-Item
    Remove-Item env:PLAN_TEST_TOKEN
    Remove-Item -LiteralPath $Root -Recurse -Force -ErrorAction SilentlyContinue
}

Describe 'A plan of all systems' {
    It 'is looked at, without changing anything' {
        $marks = Get-Mark
        $before = Get-Tree $Root
        $checks = Test-BackupPlan "$Root/plan.yaml" -ErrorVariable failed -ErrorAction SilentlyContinue
        $checks | Where-Object Status -eq Failed | Format-List | Out-String | Should -BeNullOrEmpty
        $failed | Should -BeNullOrEmpty
        foreach ($job in $Systems.Keys) {
            $of = $checks | Where-Object Job -eq $job
            ($of | Where-Object Check -eq Source).Status | Should -Contain Passed -Because $job
            ($of | Where-Object Check -eq Destination).Status | Should -Be Passed -Because $job
            ($of | Where-Object Check -eq Write).Status | Should -Be NotChecked -Because $job
        }
        ($checks | Where-Object { $_.Job -eq 'code' -and $_.Check -eq 'Tool' }).Detail | Should -Match '^git \d'
        ($checks | Where-Object { $_.Job -eq 'packages' -and $_.Check -eq 'Credentials' }).Detail | Should -Match 'arn:aws:iam::123456789012:user/backup'
        $checks | Where-Object { $_.Status -in 'Failed', 'Warning' -and -not $_.HowToMend } | Should -BeNullOrEmpty
        $checks | Out-String | Should -Not -Match "$AtlassianToken|$GitHubToken"
        Test-BackupPlan "$Root/plan.yaml" -Quiet | Should -BeTrue
        Get-Change $marks | Should -BeNullOrEmpty
        Get-Tree $Root | Should -Be $before
    }

    It 'shows what each job would do, and changes nothing' {
        $marks = Get-Mark
        $before = Get-Tree $Root
        $results = Invoke-BackupPlan "$Root/plan.yaml" -WhatIf -ErrorVariable failed
        $failed | Should -BeNullOrEmpty
        $results.Count | Should -Be 6
        foreach ($result in $results) {
            $result.WhatIf | Should -BeTrue
            $result.Plan | Should -Not -BeNullOrEmpty -Because $result.Name
        }
        ($results | Where-Object Name -eq scans).Plan | Should -Match '25 new'
        ($results | Where-Object Name -eq machines).Plan | Should -Match 'stop'
        Get-Change $marks | Should -BeNullOrEmpty
        Get-Tree $Root | Should -Be $before
    }

    It 'runs them all, and each has its runs in the catalog' {
        $results = Invoke-BackupPlan "$Root/plan.yaml" -Confirm:$false -ErrorVariable failed
        $failed | Should -BeNullOrEmpty
        foreach ($result in $results) { $result.Outcome | Should -Be Completed -Because "$($result.Name): $($result.Reason)" }
        $results[0].PSTypeNames[0] | Should -Be 'Backup.Engine.Plans.BackupJobResult'
        $runs = Get-BackupRun s3://backup/main @Store
        foreach ($job in $Systems.Keys) {
            $result = $results | Where-Object Name -eq $job
            $result.System | Should -Be $Systems[$job]
            $result.RunIds | Should -Not -BeNullOrEmpty -Because $job
            foreach ($id in $result.RunIds) { ($runs | Where-Object RunId -eq $id).System | Should -Be $Systems[$job] }
        }
        $runs | Test-BackupRun -Deep @Store | Should -Not -Contain $false
        $results | Out-String | Should -Match 'scans\s+folders\s+Completed'
        $results | Format-List | Out-String | Should -Not -Match "$AtlassianToken|$GitHubToken"
    }

    It 'goes on where one job fails, and says which' {
        (Get-Content "$Root/plan.yaml" -Raw) -replace 'repository: my-repo', 'repository: no-repo' | Set-Content "$Root/broken.yaml"
        $results = Invoke-BackupPlan "$Root/broken.yaml" -Job scans, packages, code -ErrorVariable failed -ErrorAction SilentlyContinue
        $? | Should -BeFalse
        ($results | Where-Object Name -eq packages).Outcome | Should -Be Failed
        ($results | Where-Object Name -ne packages).Outcome | Should -Be Unchanged, Unchanged
        $failed.Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'NotFound,AtlassianBackup.Commands.InvokeBackupPlanCommand'
        $failed[0].CategoryInfo.Category | Should -Be ObjectNotFound
        $failed[0].TargetObject | Should -Be packages
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $checks = Test-BackupPlan "$Root/broken.yaml" -Job packages -ErrorVariable failed -ErrorAction SilentlyContinue
        ($checks | Where-Object Status -eq Failed).Check | Should -Be Source
        $failed[0].TargetObject | Should -Be packages
        Test-BackupPlan "$Root/broken.yaml" -Quiet -ErrorAction SilentlyContinue | Should -BeFalse
    }
}

Describe 'Invoke-BackupPlan' {
    BeforeAll {
        Set-Content "$Root/small.json" (@{ destination = 'small'; jobs = @(
                    @{ name = 'one'; system = 'folders'; path = 'src'; cachePath = 'small-cache' }
                    @{ name = 'gone'; system = 'folders'; path = 'gone'; cachePath = 'small-cache' }
                    @{ name = 'three'; system = 'folders'; path = 'src/sub'; destination = 'third'; cachePath = 'small-cache' }
                    @{ name = 'off'; system = 'folders'; path = 'src'; enabled = $false }) } | ConvertTo-Json -Depth 5)
    }

    It 'ends a script with the right exit code' {
        $call = "Import-Module '$ModulePath'; `$results = Invoke-BackupPlan '$Root/small.json'"
        (Invoke-ChildShell "$call -Job one; if (-not `$?) { exit 1 }").ExitCode | Should -Be 0
        (Invoke-ChildShell "$call -ErrorAction Stop").ExitCode | Should -Be 1
        $result = Invoke-ChildShell "$call; `$results.Outcome -join ','; if (`$results.Outcome -contains 'Failed') { exit 3 }"
        $result.ExitCode | Should -Be 3
        $result.Output | Should -Match 'Skipped,.*Failed'
    }

    It 'runs as the SSM document calls it' {
        $env:BACKUP_PLAN, $env:BACKUP_JOB = "$Root/small.json", 'one, th*'
        try {
            # The script between the quotes of the Linux step, as it stands in the document.
            $document = Get-Content "$RepositoryRoot/module/documents/AtlassianBackup-RunPlan.yaml" -Raw
            $script = [regex]::Match($document, "(?s)-Command '\r?\n(.*?)\r?\n\s+'").Groups[1].Value -replace 'Import-Module AtlassianBackup', "Import-Module '$ModulePath'"
            $result = Invoke-ChildShell $script
            $result.ExitCode | Should -Be 0 -Because $result.Output
            $result.Output | Should -Match 'one\s+folders'
            $env:BACKUP_JOB = ''
            (Invoke-ChildShell $script).ExitCode | Should -Be 1
        }
        finally { Remove-Item env:BACKUP_PLAN, env:BACKUP_JOB -ErrorAction SilentlyContinue }
    }

    It 'refuses a job that the plan does not have, before anything runs' {
        (Get-Content "$Root/small.json" -Raw) -replace '"small"', '"fresh"' | Set-Content "$Root/fresh.json"
        $failure = Get-ErrorOf { Invoke-BackupPlan "$Root/fresh.json" -Job one, misspelt }
        $failure.FullyQualifiedErrorId | Should -Be 'NotFound,AtlassianBackup.Commands.InvokeBackupPlanCommand'
        "$failure" | Should -Match 'misspelt'
        Test-Path "$Root/fresh" | Should -BeFalse
    }

    It 'refuses a plan with every problem and its line, and no secret' {
        Set-Content "$Root/bad.yaml" "jobs:`n  - name: a`n    system: jira`n    site: acme`n    user: a@b.c`n    apiToken: hunter2`n    tiemout: 1h"
        $failure = Get-ErrorOf { Invoke-BackupPlan "$Root/bad.yaml" }
        $failure.FullyQualifiedErrorId | Should -Be 'InvalidInput,AtlassianBackup.Commands.InvokeBackupPlanCommand'
        "$failure" | Should -Match 'line 6.*apiToken[\s\S]*line 7.*tiemout.*timeout'
        "$failure" | Should -Not -Match hunter2
        $checks = Test-BackupPlan "$Root/bad.yaml" -ErrorAction SilentlyContinue
        $checks.Count | Should -Be 2
        $checks.Status | Should -Be Failed, Failed
        $checks.HowToMend | Should -Not -Contain $null
    }

    It 'takes plans from the pipeline' {
        $results = Get-Item "$Root/small.json" | Invoke-BackupPlan -Job one
        $results.Name | Should -Be one
        (Get-Item "$Root/small.json" | Test-BackupPlan -Job one -Quiet) | Should -BeTrue
    }

    It 'stops at once on Ctrl+C, and what was begun is tidied up' {
        Set-Content "$Root/slow.json" (@{ destination = 'slow'; maxBandwidth = 200000; jobs = @(@{ name = 'slow'; system = 'folders'; path = 'src'; destination = 's3://backup/slow'; endpointUrl = $S3.Url; region = 'eu-central-1'; storageClass = 'STANDARD'; cachePath = 'slow-cache' }) } | ConvertTo-Json -Depth 5)
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$ModulePath'; Invoke-BackupPlan '$Root/slow.json'")
            $mark = @(Get-Request $S3).Count
            $handle = $shell.BeginInvoke()
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            while (-not (Get-Request $S3 $mark | Where-Object Method -EQ PUT) -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 50 }
            $clock.Restart()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 20
            $shell.InvocationStateInfo.State | Should -Be Stopped
            @(Get-BackupRun s3://backup/slow @Store -ErrorAction SilentlyContinue).Count | Should -Be 0
        }
        finally { $shell.Dispose() }
    }

    It 'gives an instance back on Ctrl+C before the prompt' {
        $slow = Start-Peer fleet '--instance', $Instance, '--job-time', '120'
        foreach ($service in 'EC2', 'SSM', 'BACKUP', 'IAM') { Set-Item "env:AWS_ENDPOINT_URL_$service" $slow.Url }
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$ModulePath'; Invoke-BackupPlan '$Root/plan.yaml' -Job machines")
            $null = $shell.BeginInvoke()
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            while ((Read-Log $slow) -notmatch '(?m)^StartBackupJob ' -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 50 }
            Read-Log $slow | Should -Match '(?m)^StopInstances '
            Read-Log $slow | Should -Not -Match '(?m)^StartInstances '
            $shell.Stop()
            Read-Log $slow | Should -Match '(?m)^StartInstances '
        }
        finally {
            $shell.Dispose()
            foreach ($service in 'EC2', 'SSM', 'BACKUP', 'IAM') { Set-Item "env:AWS_ENDPOINT_URL_$service" $Fleet.Url }
            Stop-Server $slow
        }
    }

    It 'takes the config.json of Matricula Backup as it is' {
        $config = @{ backup = @{ folders = @("$Root/src"); roots = @() }; notification = @{ webhook = 'https://example.com/hook' }; aws = @{ access_key = 'test'; secret_access_key = 'testsecret' } } | ConvertTo-Json -Depth 5
        Set-Content "$Root/config.json" $config
        $checks = Test-BackupPlan "$Root/config.json"
        ($checks | Where-Object { $_.Job -eq 'folders' -and $_.Check -eq 'Source' }).Status | Should -Be Passed
        ($checks | Where-Object Check -eq Secret).Status | Should -Be Warning
    }

    It 'tells a webhook once of a run in which something failed' {
        $listener = [System.Net.HttpListener]::new()
        $port = Get-Random -Minimum 20000 -Maximum 30000
        $listener.Prefixes.Add("http://127.0.0.1:$port/"); $listener.Start()
        try {
            $env:PLAN_TEST_HOOK = "http://127.0.0.1:$port/services/hook-that-is-secret"
            $plan = Get-Content "$Root/small.json" | ConvertFrom-Json -AsHashtable
            $plan.notifications = @{ slack = @{ webhookUri = 'env:PLAN_TEST_HOOK' } }
            $plan | ConvertTo-Json -Depth 5 | Set-Content "$Root/told.json"
            $bodies = [System.Collections.Concurrent.ConcurrentQueue[string]]::new()
            $serve = [powershell]::Create().AddScript({
                    param($listener, $bodies)
                    while ($listener.IsListening) {
                        $context = $listener.GetContext()
                        $bodies.Enqueue([IO.StreamReader]::new($context.Request.InputStream).ReadToEnd())
                        $context.Response.StatusCode = 200; $context.Response.Close()
                    }
                }).AddArgument($listener).AddArgument($bodies)
            $null = $serve.BeginInvoke()
            $null = Invoke-BackupPlan "$Root/told.json" -Job one
            $bodies.Count | Should -Be 0
            $null = Invoke-BackupPlan "$Root/told.json" -WhatIf -ErrorAction SilentlyContinue
            $bodies.Count | Should -Be 0
            $said = Invoke-BackupPlan "$Root/told.json" -ErrorAction SilentlyContinue -Verbose *>&1 | Out-String
            $bodies.Count | Should -Be 1
            ($bodies.ToArray()[0] | ConvertFrom-Json).text | Should -Match 'told.*1 of 4 jobs failed[\s\S]*gone \(folders\): Failed'
            $said | Should -Not -Match hook-that-is-secret
            (Test-BackupPlan "$Root/told.json" -Job one | Where-Object Check -eq Notification).Status | Should -Be Passed
            $bodies.Count | Should -Be 1
        }
        finally { $listener.Close(); if ($serve) { $serve.Stop(); $serve.Dispose() }; Remove-Item env:PLAN_TEST_HOOK }
    }
}

Describe 'The schema' -Skip:(-not (Get-Command Test-Json -ErrorAction SilentlyContinue)) {
    BeforeAll { $Schema = Join-Path (Split-Path $ModulePath) 'module/schemas/backup-plan.schema.json' }

    It 'says of plans what the reader says' {
        Get-Content "$Root/small.json" -Raw | Test-Json -SchemaFile $Schema | Should -BeTrue
        '{"jobs":[{"name":"a","system":"folders"}]}' | Test-Json -SchemaFile $Schema -ErrorAction SilentlyContinue | Should -BeFalse
        '{"jobs":[{"name":"a","system":"folders","path":"/srv","sitee":"x"}]}' | Test-Json -SchemaFile $Schema -ErrorAction SilentlyContinue | Should -BeFalse
    }
}
