BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Folder = (New-Item -ItemType Directory TestDrive:/folder).FullName
    $Store = Join-Path (Get-Item TestDrive:/).FullName 'store'
    $Keys = [pscredential]::new('AKIDEXAMPLE', (ConvertTo-SecureString 'x' -AsPlainText))
}

# What the engine refuses is tested with the engine; these are the mistakes that a cmdlet itself can see.
Describe 'A mistake in the settings ends the cmdlet: <What>' -ForEach @(
    @{ What = 'a bucket name with a capital'; Target = 's3://My-Bucket'; Says = "'My-Bucket' is not a bucket name"; Script = { Sync-FolderToS3 $Folder 's3://My-Bucket' } }
    @{ What = 'a bucket name that is too short'; Target = 's3://ab/x'; Says = '3 to 63'; Script = { Get-BackupRun 's3://ab/x' } }
    @{ What = 'another scheme'; Target = 'gs://bucket'; Says = 'neither s3://bucket/prefix nor a directory'; Script = { Test-BackupRun 'gs://bucket' } }
    @{ What = 'a blank destination'; Target = ' '; Says = 'empty'; Script = { Get-BackupRun ' ' } }
    @{ What = 'a destination that holds no files'; Target = 'env:PATH'; Says = 'Environment provider'; Script = { Restore-BackupRun 'env:PATH' -RunId x -To $Folder } }
    @{ What = 'a target that holds no files'; Target = 'env:x'; Says = 'Environment provider'; Script = { Restore-FolderFromS3 -From $Store -Destination 'env:x' } }
    @{ What = 'an endpoint without a scheme'; Target = 's3.example.com'; Says = 'not an endpoint'; Script = { Get-BackupRun s3://bucket -EndpointUrl s3.example.com } }
    @{ What = 'a profile and keys'; Target = 'backup'; Says = 'Both -ProfileName and -Credential'; Script = { Get-BackupRun s3://bucket -ProfileName backup -Credential $Keys } }
    @{ What = 'an unknown storage class'; Target = 'FROZEN'; Says = "'FROZEN' is not a storage class"; Script = { Sync-FolderToS3 $Folder s3://bucket -StorageClass FROZEN } }
    @{ What = 'a key without KMS'; Target = 'alias/x'; Says = 'needs -ServerSideEncryption'; Script = { Sync-FolderToS3 $Folder s3://bucket -KmsKeyId alias/x } }
) {
    BeforeAll {
        try { & $Script; $record = $null } catch { $record = $_ }
    }

    It 'has a stable id, the category, the input as target, and advice' {
        $record | Should -Not -BeNullOrEmpty
        $record.FullyQualifiedErrorId | Should -Match '^InvalidInput,AtlassianBackup\.Commands\.'
        $record.CategoryInfo.Category | Should -Be InvalidArgument
        $record.TargetObject | Should -Be $Target
        $record.ErrorDetails.Message | Should -Match ([regex]::Escape($Says))
        $record.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $record.Exception.Kind | Should -Be InvalidInput
    }
}

Describe 'A drive that is not there' {
    It 'is not found' {
        try { Get-BackupRun nosuchdrive:/x } catch { $record = $_ }
        $record.FullyQualifiedErrorId | Should -Match '^NotFound,'
        $record.CategoryInfo.Category | Should -Be ObjectNotFound
        $record.ErrorDetails.RecommendedAction | Should -Match 'Get-PSDrive'
    }
}

Describe 'A bad folder among others' {
    It 'is one error that stops nothing' {
        Sync-FolderToS3 -Path env:PATH, nosuchdrive:/y $Store -ErrorAction SilentlyContinue -ErrorVariable written
        $written.FullyQualifiedErrorId | Should -Be 'InvalidInput,AtlassianBackup.Commands.SyncFolderToS3Command', 'NotFound,AtlassianBackup.Commands.SyncFolderToS3Command'
        $written.TargetObject | Should -Be env:PATH, nosuchdrive:/y
    }
}

Describe 'Every kind of failure' {
    It 'has an id and a category of its own, never NotSpecified' {
        try { Get-BackupRun 's3://X' } catch { $kinds = $_.Exception.Kind.GetType() }
        $mapping = (Get-Command Get-BackupRun).ImplementingType.Assembly.GetType('AtlassianBackup.ErrorMapping')
        $flags = [System.Reflection.BindingFlags]'NonPublic, Static'
        $ids = foreach ($kind in [enum]::GetValues($kinds)) {
            $mapping.GetMethod('Category', $flags).Invoke($null, @($kind)) | Should -Not -Be NotSpecified
            $mapping.GetMethod('Id', $flags).Invoke($null, @($kind))
        }
        ($ids | Sort-Object -Unique).Count | Should -Be $ids.Count
        $ids | ForEach-Object { $_ | Should -MatchExactly '^([A-Z][a-z]+)+$' }
    }
}

Describe 'The exit code' {
    It 'is 1 where -ErrorAction Stop ends a script: with a mistake in the settings' {
        # PowerShell itself lets a script go on after a terminating error, whatever -ErrorAction says.
        $child = Invoke-ChildShell "Import-Module '$ModulePath'; Get-BackupRun 's3://X' -ErrorAction Stop; 'went on'"
        $child.ExitCode | Should -Be 1
        $child.Output | Should -Not -Match 'went on'
    }

    It 'is 1 where the preference says Stop' {
        (Invoke-ChildShell "`$ErrorActionPreference = 'Stop'; Import-Module '$ModulePath'; Get-BackupRun 's3://X'; exit 0").ExitCode | Should -Be 1
    }

    It 'is 1 where -ErrorAction Stop ends a script: with the first written error' {
        (Invoke-ChildShell "Import-Module '$ModulePath'; Sync-FolderToS3 env:PATH '$Store' -ErrorAction Stop; exit 0").ExitCode | Should -Be 1
    }
}
