<#
.SYNOPSIS
Says what a built module is made of: sbom.cdx.json (CycloneDX 1.6) and THIRD-PARTY-NOTICES.txt.
.DESCRIPTION
Both come from what the build itself wrote down, bin/dependencies/Backup.Engine.deps.json, and from the nuspec files of those packages: nothing is kept by hand, and the same
build gives the same files. A package whose licence is none of those in tools/licenses, and that brings no text of its own, ends the script.
.PARAMETER Module
The module's folder: the checkout, or what Pack has made of it.
.PARAMETER Version
The module's version.
.PARAMETER Destination
Where the two files go.
#>
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Version,
    [Parameter(Mandatory)] [string] $Destination
)
$ErrorActionPreference = 'Stop'
$packages = $env:NUGET_PACKAGES ? $env:NUGET_PACKAGES : (Join-Path ([Environment]::GetFolderPath('UserProfile')) '.nuget/packages')
$built = Get-Content "$Module/module/bin/dependencies/Backup.Engine.deps.json" -Raw | ConvertFrom-Json -AsHashtable
$graph = $built.targets[$built.runtimeTarget.name]

function Get-Reference([string] $Key) {
    $name, $number = $Key -split '/'
    "pkg:nuget/$name@$number"
}

$components = foreach ($key in $built.libraries.Keys | Sort-Object) {
    if ($built.libraries[$key].type -ne 'package') { continue }
    $name, $number = $key -split '/'
    $folder = Join-Path $packages $name.ToLowerInvariant() $number.ToLowerInvariant()
    $metadata = ([xml](Get-Content (Get-ChildItem $folder -Filter *.nuspec) -Raw)).package.metadata
    [pscustomobject]@{
        Key       = $key
        Name      = $name
        Version   = $number
        Reference = Get-Reference $key
        License   = $metadata.license.'#text'
        Authors   = $metadata.authors
        Copyright = $metadata.copyright
        Site      = $metadata.projectUrl
        # "sha512-" and base64, as NuGet writes it.
        Sha512    = if ($built.libraries[$key].sha512) { [Convert]::ToHexString([Convert]::FromBase64String($built.libraries[$key].sha512.Substring(7))).ToLowerInvariant() }
        Texts     = @(Get-ChildItem $folder -File | Where-Object Name -Match '^(LICENSE|NOTICE|THIRD-PARTY-NOTICES)(\.(txt|md))?$')
    }
}

$self = "pkg:nuget/AtlassianBackup@$Version"
$bom = [ordered]@{
    bomFormat    = 'CycloneDX'
    specVersion  = '1.6'
    version      = 1
    metadata     = [ordered]@{ component = [ordered]@{ type = 'library'; 'bom-ref' = $self; name = 'AtlassianBackup'; version = $Version; purl = $self; licenses = @(@{ license = @{ id = 'MIT' } }) } }
    components   = @($components | ForEach-Object {
            $component = [ordered]@{ type = 'library'; 'bom-ref' = $_.Reference; name = $_.Name; version = $_.Version; purl = $_.Reference }
            if ($_.Sha512) { $component.hashes = @([ordered]@{ alg = 'SHA-512'; content = $_.Sha512 }) }
            $component.licenses = @(@{ license = @{ id = $_.License } })
            if ($_.Copyright) { $component.copyright = $_.Copyright }
            if ($_.Site) { $component.externalReferences = @([ordered]@{ type = 'website'; url = $_.Site }) }
            $component
        })
    dependencies = @(
        foreach ($key in $graph.Keys | Sort-Object) {
            $isSelf = $built.libraries[$key].type -eq 'project'
            $uses = $graph[$key].dependencies.Keys | Where-Object { $_ } | ForEach-Object { Get-Reference "$_/$($graph[$key].dependencies[$_])" } | Sort-Object
            [ordered]@{ ref = $isSelf ? $self : (Get-Reference $key); dependsOn = @($uses | Where-Object { $_ }) }
        })
}
Set-Content "$Destination/sbom.cdx.json" ($bom | ConvertTo-Json -Depth 10)

$line = '-' * 80
$notices = @('AtlassianBackup contains the following components of others. Their licences are below.', '')
$notices += foreach ($component in $components) {
    $owner = $component.Copyright ? $component.Copyright : "Copyright $($component.Authors)"
    "$($component.Name) $($component.Version)", "  $owner", "  $($component.License)   $($component.Site)", ''
}
$notices += 'SQLite (e_sqlite3, within SQLitePCLRaw.lib.e_sqlite3) is in the public domain.', ''
foreach ($license in $components.License | Sort-Object -Unique) {
    $text = "$PSScriptRoot/licenses/$license.txt"
    $own = $components.Where{ $_.License -eq $license -and -not $_.Texts.Where{ $_.Name -like 'LICENSE*' } }
    if (Test-Path $text) { $notices += $line, $license, $line, (Get-Content $text -Raw), '' }
    elseif ($own) { throw "'$($own[0].Name)' is under $license, and tools/licenses has no text of it." }
}
# Packages of one house often bring the same text.
foreach ($same in $components.Texts | Group-Object { (Get-FileHash $_.FullName).Hash }) {
    $names = $same.Group.ForEach({ $_.Directory.Parent.Name }) -join ', '
    $notices += $line, "$($names): $($same.Group[0].Name)", $line, (Get-Content $same.Group[0].FullName -Raw), ''
}
Set-Content "$Destination/THIRD-PARTY-NOTICES.txt" $notices
