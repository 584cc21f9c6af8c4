#!/usr/bin/env pwsh
<#
.SYNOPSIS
Builds, tests and packs the module. Thin over dotnet.
.EXAMPLE
./build.ps1
Builds the module in place: Import-Module ./AtlassianBackup.psd1 works afterwards.
.EXAMPLE
./build.ps1 Pack
Makes artifacts/AtlassianBackup/<version> and the .nupkg, with a bill of materials and the licences of what is in it, and tests that very file.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)] [ValidateSet('Build', 'Test', 'Pack', 'Bench', 'Clean')] [string[]] $Task = 'Build',
    [ValidateSet('Debug', 'Release')] [string] $Configuration = 'Release'
)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
$Artifacts = Join-Path $PSScriptRoot artifacts

function Build { dotnet build "$PSScriptRoot/Backup.sln" --configuration $Configuration --nologo }

function Test { dotnet test "$PSScriptRoot/Backup.sln" --configuration $Configuration --nologo }

function Bench { dotnet run --project "$PSScriptRoot/tests/Benchmarks" --configuration Release }

function Clean {
    dotnet clean "$PSScriptRoot/Backup.sln" --configuration $Configuration --nologo --verbosity quiet
    foreach ($folder in $Artifacts, "$PSScriptRoot/module/bin", "$PSScriptRoot/en-US") {
        if (Test-Path $folder) { Remove-Item $folder -Recurse -Force }
    }
}

function Pack {
    dotnet build "$PSScriptRoot/src/AtlassianBackup" --configuration $Configuration --nologo
    $data = Import-PowerShellDataFile "$PSScriptRoot/AtlassianBackup.psd1"
    $folder = Join-Path $Artifacts "AtlassianBackup/$($data.ModuleVersion)"
    if (Test-Path $folder) { Remove-Item $folder -Recurse -Force }
    $null = New-Item -ItemType Directory $folder
    # The layout of the checkout, so that what was tested there is what ships.
    foreach ($name in 'AtlassianBackup.psd1', 'module', 'en-US', 'docs', 'README.md', 'LICENSE', 'CHANGELOG.md') { Copy-Item "$PSScriptRoot/$name" $folder -Recurse }
    & "$PSScriptRoot/tools/New-Sbom.ps1" -Module $folder -Version $data.ModuleVersion -Destination $folder
    $package = Join-Path $Artifacts "AtlassianBackup.$($data.ModuleVersion).nupkg"
    New-Package $folder $data $package
    Test-Package $package
    Get-Item $package
}

# The shape of the PowerShell Gallery: the module at the root, and a nuspec whose tags say what is in it.
function New-Package([string] $Folder, [hashtable] $Data, [string] $Package) {
    $escape = { [System.Security.SecurityElement]::Escape($args[0]) }
    $tags = @($Data.PrivateData.PSData.Tags) + 'PSModule', 'PSIncludes_Cmdlet' + @($Data.CmdletsToExport | ForEach-Object { "PSCmdlet_$_"; "PSCommand_$_" }) | Select-Object -Unique
    $nuspec = @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>AtlassianBackup</id>
    <version>$($Data.ModuleVersion)</version>
    <authors>$(& $escape $Data.Author)</authors>
    <owners>$(& $escape $Data.CompanyName)</owners>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <license type="expression">MIT</license>
    <description>$(& $escape $Data.Description)</description>
    <releaseNotes>$(& $escape $Data.PrivateData.PSData.ReleaseNotes)</releaseNotes>
    <copyright>$(& $escape $Data.Copyright)</copyright>
    <tags>$(& $escape ($tags -join ' '))</tags>
  </metadata>
</package>
"@
    $parts = [ordered]@{
        'AtlassianBackup.nuspec' = $nuspec
        '_rels/.rels'            = '<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/AtlassianBackup.nuspec" Id="R1" /></Relationships>'
        '[Content_Types].xml'    = '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />' +
            (((Get-ChildItem $Folder -Recurse -File).Extension.TrimStart('.').ToLowerInvariant() + 'nuspec' | Where-Object { $_ } | Select-Object -Unique | ForEach-Object { "<Default Extension=`"$_`" ContentType=`"application/octet`" />" }) -join '') +
            '<Override PartName="/LICENSE" ContentType="application/octet" /></Types>'
    }
    if (Test-Path $Package) { Remove-Item $Package }
    $zip = [System.IO.Compression.ZipFile]::Open($Package, 'Create')
    try {
        foreach ($name in $parts.Keys) {
            $stream = $zip.CreateEntry($name).Open()
            try { $stream.Write([System.Text.Encoding]::UTF8.GetBytes($parts[$name])) } finally { $stream.Dispose() }
        }
        foreach ($file in Get-ChildItem $Folder -Recurse -File) {
            $name = [IO.Path]::GetRelativePath($Folder, $file.FullName).Replace('\', '/')
            $null = [System.IO.Compression.ZipFileExtensions]::CreateEntryFromFile($zip, $file.FullName, $name)
        }
    }
    finally { $zip.Dispose() }
}

# Unpacks the package somewhere else, and does the main job with it in a PowerShell that knows nothing of this checkout.
function Test-Package([string] $Package) {
    $place = Join-Path ([IO.Path]::GetTempPath()) "AtlassianBackup-$([guid]::NewGuid())"
    try {
        [System.IO.Compression.ZipFile]::ExtractToDirectory($Package, "$place/AtlassianBackup")
        $null = New-Item -ItemType Directory "$place/source"
        Set-Content "$place/source/a.txt" 'packed, unpacked, backed up and restored'
        Set-Content "$place/test.ps1" @'
$ErrorActionPreference = 'Stop'
Import-Module "$PSScriptRoot/AtlassianBackup/AtlassianBackup.psd1"
if ((Get-Help Sync-FolderToS3 -Full | Out-String) -notmatch 'EXAMPLE') { throw 'The package has no help.' }
$result = Sync-FolderToS3 "$PSScriptRoot/source" "$PSScriptRoot/store" -CachePath "$PSScriptRoot/cache"
if ($result.Outcome -ne 'Completed') { throw "The sync ended as $($result.Outcome)." }
if (-not (Test-BackupRun "$PSScriptRoot/store" -Deep)) { throw 'The run is not whole.' }
$null = Restore-FolderFromS3 -From "$PSScriptRoot/store" -Destination "$PSScriptRoot/restored"
if ((Get-FileHash "$PSScriptRoot/restored/a.txt").Hash -ne (Get-FileHash "$PSScriptRoot/source/a.txt").Hash) { throw 'What came back is not what went in.' }
'The package imports, syncs, verifies and restores.'
'@
        pwsh -NoProfile -NonInteractive -File "$place/test.ps1" | Out-Host
    }
    finally { if (Test-Path $place) { Remove-Item $place -Recurse -Force } }
}

foreach ($name in $Task) { & $name }
