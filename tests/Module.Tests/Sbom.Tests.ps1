BeforeAll {
    . $PSScriptRoot/Common.ps1
    & $RepositoryRoot/tools/New-Sbom.ps1 -Module (Split-Path $ModulePath) -Version 1.2.3 -Destination $TestDrive
    $Bom = Get-Content "$TestDrive/sbom.cdx.json" -Raw | ConvertFrom-Json
    $Notices = Get-Content "$TestDrive/THIRD-PARTY-NOTICES.txt" -Raw
}

Describe 'What a package says that it is made of' {
    It 'names every library that ships, with its hash and its licence' {
        $Bom.bomFormat, $Bom.specVersion, $Bom.metadata.component.version | Should -Be 'CycloneDX', '1.6', '1.2.3'
        $shipped = (Get-ChildItem "$ModuleBin/dependencies" -Filter *.dll).BaseName | Where-Object { $_ -ne 'Backup.Engine' }
        # Two packages call their library otherwise.
        $named = $Bom.components.name -replace '^Microsoft\.Data\.Sqlite\.Core$', 'Microsoft.Data.Sqlite' -replace '^SQLitePCLRaw\.bundle_e_sqlite3$', 'SQLitePCLRaw.batteries_v2'
        $shipped | Should -BeIn $named
        foreach ($component in $Bom.components) {
            $component.licenses.license.id | Should -BeIn 'MIT', 'Apache-2.0', 'BSD-3-Clause' -Because $component.name
            $component.hashes[0].content | Should -Match '^[0-9a-f]{128}$' -Because $component.name
            $component.purl | Should -Be "pkg:nuget/$($component.name)@$($component.version)"
        }
    }

    It 'refers to nothing that it does not have' {
        $known = @($Bom.metadata.component.'bom-ref') + $Bom.components.'bom-ref'
        $Bom.dependencies.ref | Sort-Object | Should -Be ($known | Sort-Object)
        $Bom.dependencies.dependsOn.Where{ $_ } | Should -BeIn $known
        "$TestDrive/sbom.cdx.json" | Should -Not -FileContentMatch "\bnull\b"
    }

    It 'carries the text of every licence' {
        foreach ($component in $Bom.components) { $Notices | Should -BeLike "*$($component.name) $($component.version)*" }
        $Notices | Should -BeLike '*Apache License*Version 2.0*'
        $Notices | Should -BeLike '*Permission is hereby granted, free of charge*'
        $Notices | Should -BeLike '*Redistribution and use in source and binary forms*'
    }

    It 'says the same of the same build' {
        $before = (Get-FileHash "$TestDrive/sbom.cdx.json", "$TestDrive/THIRD-PARTY-NOTICES.txt").Hash
        & $RepositoryRoot/tools/New-Sbom.ps1 -Module (Split-Path $ModulePath) -Version 1.2.3 -Destination $TestDrive
        (Get-FileHash "$TestDrive/sbom.cdx.json", "$TestDrive/THIRD-PARTY-NOTICES.txt").Hash | Should -Be $before
    }
}
