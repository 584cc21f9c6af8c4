BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/Servers.ps1"
    Import-Module $ModulePath -Force
    $Documents = Join-Path (Split-Path $ModulePath) 'module/documents'

    # The script of a step, as the agent runs it: with the parameters put in as text.
    function Get-StepScript([string] $Document, [string] $Step, [hashtable] $Parameter) {
        $lines = Get-Content (Join-Path $Documents "$Document.yaml")
        $start = [array]::IndexOf($lines, "    name: $Step")
        $body = @($lines | Select-Object -Skip ($start + 1))
        $body = @($body | Select-Object -Skip ([array]::IndexOf($body, '        - |') + 1))
        $script = foreach ($line in $body) { if ($line -match '^ {10}(.*)$') { $Matches[1] } elseif ($line) { break } else { '' } }
        $text = $script -join "`n"
        foreach ($name in $Parameter.Keys) { $text = $text.Replace("{{ $name }}", $Parameter[$name]) }
        $text
    }
}

Describe 'Publish-BackupDocument' -Skip:(-not (Get-Command moto_server -ErrorAction Ignore)) {
    BeforeAll {
        $Moto = Start-Moto 'unused'
        $Account = @{ EndpointUrl = $Moto.Url; Region = 'eu-central-1'; Credential = [pscredential]::new('test', (ConvertTo-SecureString 'test' -AsPlainText)) }
    }
    AfterAll { Stop-Server $Moto }

    It 'says what it would do, and does nothing' {
        $planned = @(Publish-BackupDocument @Account -WhatIf)
        $planned.Name | Should -Be @('AtlassianBackup-InstallModule', 'AtlassianBackup-RunCmdlet', 'AtlassianBackup-RunPlan', 'AtlassianBackup-StartRunStop')
        $planned.WhatIf | Should -Not -Contain $false
        @(Publish-BackupDocument @Account -WhatIf).Reason | Select-Object -Unique | Should -Be 'It would be created.'
    }

    It 'publishes all, and then nothing' {
        $published = @(Publish-BackupDocument @Account -Tag @{ team = 'platform' })
        $published.Outcome | Select-Object -Unique | Should -Be 'Completed'
        $published.DocumentType | Should -Be @('Command', 'Command', 'Command', 'Automation')
        @(Publish-BackupDocument @Account -Tag @{ team = 'platform' }).Outcome | Select-Object -Unique | Should -Be 'Unchanged'
        ($published | Format-Table | Out-String) | Should -Match 'AtlassianBackup-RunPlan +Command +Completed +1 '
    }

    It 'takes names with wildcards' {
        @(Publish-BackupDocument *run* @Account).Name | Should -Be @('AtlassianBackup-RunCmdlet', 'AtlassianBackup-RunPlan', 'AtlassianBackup-StartRunStop')
        $problem = Get-ErrorOf { Publish-BackupDocument nothing* @Account }
        $problem.FullyQualifiedErrorId | Should -Match '^NotFound,'
    }

    It 'takes documents from the pipeline' {
        Copy-Item "$Documents/AtlassianBackup-RunPlan.yaml" "$TestDrive/Acme-RunPlan.yaml"
        (Get-Item "$TestDrive/Acme-RunPlan.yaml" | Publish-BackupDocument @Account).Name | Should -Be 'Acme-RunPlan'
    }

    It 'writes an error for what is no document, and publishes the others' {
        Set-Content "$TestDrive/notes.txt" x
        $results = @(Publish-BackupDocument -Path "$TestDrive/notes.txt", "$Documents/AtlassianBackup-RunPlan.yaml", "$TestDrive/missing" @Account -ErrorVariable problems -ErrorAction SilentlyContinue)
        $results.Outcome | Should -Be @('Failed', 'Unchanged')
        $problems.FullyQualifiedErrorId -replace ',.*' | Sort-Object | Should -Be @('InvalidInput', 'NotFound')
        $problems.CategoryInfo.Category | Should -Not -Contain 'NotSpecified'
    }
}

Describe 'AtlassianBackup-RunCmdlet on this machine' -Skip:(-not $IsLinux) {
    BeforeAll {
        $env:PSModulePath = "$TestDrive/modules" + [IO.Path]::PathSeparator + $env:PSModulePath
        # A module is found by the name of its folder.
        $null = New-Item -ItemType Directory "$TestDrive/modules"
        $null = New-Item -ItemType SymbolicLink "$TestDrive/modules/AtlassianBackup" -Target (Split-Path $ModulePath)
        $null = New-Item -ItemType Directory "$TestDrive/source"
        Set-Content "$TestDrive/source/a.txt" alpha

        function Invoke-Step([string] $Cmdlet, $Arguments) {
            $json = $Arguments -is [string] ? $Arguments : ($Arguments | ConvertTo-Json -Compress)
            $output = Get-StepScript AtlassianBackup-RunCmdlet RunOnLinux @{ Cmdlet = $Cmdlet; Arguments = $json } | sh -s 2>&1 | Out-String
            [pscustomobject]@{ ExitCode = $LASTEXITCODE; Output = $output }
        }
    }

    It 'runs a cmdlet with its parameters' {
        $run = Invoke-Step Sync-FolderToS3 @{ Path = "$TestDrive/source"; Destination = "$TestDrive/store"; CachePath = "$TestDrive/cache" }
        $run.ExitCode | Should -Be 0 -Because $run.Output
        (Get-BackupRun "$TestDrive/store").Outcome | Should -Be 'Completed'
        (Invoke-Step Test-BackupRun @{ Destination = "$TestDrive/store" }).ExitCode | Should -Be 0
    }

    It 'ends with an exit code where the cmdlet fails' {
        $run = Invoke-Step Sync-FolderToS3 @{ Path = "$TestDrive/missing"; Destination = "$TestDrive/store"; CachePath = "$TestDrive/cache" }
        $run.ExitCode | Should -Be 1
        $run.Output | Should -Match 'missing'
    }

    It 'runs nothing but cmdlets of this module' {
        (Invoke-Step Remove-Item @{ Path = "$TestDrive/source/a.txt" }).ExitCode | Should -Be 1
        "$TestDrive/source/a.txt" | Should -Exist
    }

    It 'refuses arguments that are no JSON' {
        (Invoke-Step Get-BackupRun 'Destination').ExitCode | Should -Be 1
    }
}

Describe 'AtlassianBackup-InstallModule on this machine' -Skip:(-not $IsLinux) {
    BeforeAll {
        # A package of the parts that matter; only the two places of the real one are moved.
        $null = New-Item -ItemType Directory "$TestDrive/content", "$TestDrive/var/download", "$TestDrive/share"
        Set-Content "$TestDrive/content/AtlassianBackup.psd1" "@{ ModuleVersion = '9.9.9'; GUID = '6d4bd2e5-8c6f-4b0e-9d57-0d3f5f2d9a11' }"
        $Package = "$TestDrive/var/download/AtlassianBackup.9.9.9.nupkg"

        function Install([string] $Sha256) {
            if (Test-Path $Package) { Remove-Item $Package }
            [System.IO.Compression.ZipFile]::CreateFromDirectory("$TestDrive/content", $Package)
            $Sha256 = $Sha256 ? $Sha256 : (Get-FileHash $Package -Algorithm SHA256).Hash
            $script = Get-StepScript AtlassianBackup-InstallModule InstallOnLinux @{ ModuleUrl = 'https://bucket.s3.amazonaws.com/AtlassianBackup.9.9.9.nupkg'; ModuleSha256 = $Sha256.ToLowerInvariant(); PowerShellVersion = '7.0.0' }
            $script = $script.Replace('/var/lib/atlassian-backup', "$TestDrive/var").Replace('/usr/local/share/powershell/Modules', "$TestDrive/share")
            $output = $script | sh -s 2>&1 | Out-String
            [pscustomobject]@{ ExitCode = $LASTEXITCODE; Output = $output }
        }
    }

    It 'installs the package that the hash names, and again' {
        foreach ($time in 1, 2) {
            $run = Install
            $run.ExitCode | Should -Be 0 -Because $run.Output
            "$TestDrive/share/AtlassianBackup/9.9.9/AtlassianBackup.psd1" | Should -Exist
        }
        Get-ChildItem "$TestDrive/share" -Force | Select-Object -ExpandProperty Name | Should -Be 'AtlassianBackup'
        $Package | Should -Not -Exist
    }

    It 'installs nothing that is not what the hash names' {
        Remove-Item "$TestDrive/share/*" -Recurse
        $run = Install ('0' * 64)
        $run.ExitCode | Should -Be 1
        $run.Output | Should -Match 'Nothing was installed'
        Get-ChildItem "$TestDrive/share" -Force | Should -BeNullOrEmpty
    }
}

Describe 'The scripts for Windows' {
    It 'of <_> are PowerShell' -ForEach @('AtlassianBackup-InstallModule', 'AtlassianBackup-RunCmdlet', 'AtlassianBackup-RunPlan') {
        $step = $_ -eq 'AtlassianBackup-InstallModule' ? 'InstallOnWindows' : 'RunOnWindows'
        $problems = $null
        $null = [System.Management.Automation.Language.Parser]::ParseInput((Get-StepScript $_ $step @{}), [ref]$null, [ref]$problems)
        $problems | Should -BeNullOrEmpty
    }
}
