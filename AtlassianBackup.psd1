@{
    RootModule             = 'module/bin/AtlassianBackup.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = 'b1c6a0c7-7a0f-4f0e-9d5e-3c1f5d0b8a42'
    Author                 = 'AtlassianBackup developers'
    CompanyName            = 'AtlassianBackup developers'
    Copyright              = '(c) AtlassianBackup developers. MIT License.'
    Description            = 'Backs up folders, Confluence and Jira, GitHub, Maven packages of AWS CodeArtifact and EC2 instances, to S3 or to a directory, proves that the backups are whole, and gives them back.'
    PowerShellVersion      = '7.6'
    CompatiblePSEditions   = @('Core')
    FormatsToProcess       = @('module/AtlassianBackup.Format.ps1xml')
    TypesToProcess         = @('module/AtlassianBackup.Types.ps1xml')
    FunctionsToExport      = @()
    AliasesToExport        = @()
    VariablesToExport      = @()
    CmdletsToExport        = @(
        'Backup-GitHubRepos'
        'Backup-MavenPackage'
        'Compare-MavenBackup'
        'Export-BackupReport'
        'Get-BackupRun'
        'Get-GitHubRepos'
        'Get-PrePostBackup'
        'Invoke-BackupPlan'
        'Invoke-ConfluenceBackup'
        'Invoke-JiraBackup'
        'Publish-BackupDocument'
        'Restore-BackupRun'
        'Resume-PrePostBackup'
        'Restore-FolderFromS3'
        'Restore-GitHubRepos'
        'Restore-MavenPackage'
        'Save-AtlassianExport'
        'Start-PrePostBackup'
        'Sync-FolderToS3'
        'Test-BackupFreshness'
        'Test-BackupPlan'
        'Test-BackupRun'
    )
    PrivateData            = @{
        PSData = @{
            Tags         = @('Backup', 'Restore', 'S3', 'AWS', 'Glacier', 'Sync', 'Atlassian', 'Confluence', 'Jira', 'GitHub', 'Maven', 'CodeArtifact', 'EC2', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            ReleaseNotes = 'See CHANGELOG.md in the module folder.'
        }
    }
}
