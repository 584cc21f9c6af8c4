BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Cmdlets = Get-Command -Module AtlassianBackup | ForEach-Object { @{ Name = $_.Name } }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Assembly = (Get-Command Get-BackupRun).ImplementingType.Assembly
    $Classes = $Assembly.GetTypes() | Where-Object { -not $_.IsAbstract -and $_.IsSubclassOf([System.Management.Automation.Cmdlet]) }
}

Describe 'The manifest' {
    It 'is valid' { { Test-ModuleManifest $ModulePath -ErrorAction Stop } | Should -Not -Throw }

    It 'exports the cmdlet classes, and the docs have a page for each' {
        $exported = (Import-PowerShellDataFile $ModulePath).CmdletsToExport | Sort-Object
        $named = foreach ($class in $Classes) {
            $attribute = $class.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false)[0]
            "$($attribute.VerbName)-$($attribute.NounName)"
        }
        $named | Sort-Object | Should -Be $exported
        if (Test-Path $RepositoryRoot/docs/cmdlets) {
            (Get-ChildItem $RepositoryRoot/docs/cmdlets/*.md).BaseName | Sort-Object | Should -Be $exported
        }
    }

    It 'exports nothing else' {
        $data = Import-PowerShellDataFile $ModulePath
        $data.FunctionsToExport + $data.AliasesToExport + $data.VariablesToExport | Should -BeNullOrEmpty
    }

    It 'has the version of the assembly' {
        $Assembly.GetName().Version.ToString(3) | Should -Be (Import-PowerShellDataFile $ModulePath).ModuleVersion
    }
}

Describe 'The assembly' {
    It 'refers to the framework, PowerShell and the engine alone' {
        # A reference to anything that lives beside the engine would be resolved in PowerShell's own context.
        $Assembly.GetReferencedAssemblies().Name | Where-Object { $_ -notmatch '^(System\.|netstandard$|Backup\.Engine$)' } | Should -BeNullOrEmpty
    }

    It 'has no engine or AWSSDK type in a parameter' {
        $parameters = $Classes.ForEach{ $_.GetProperties() }
        $parameters.PropertyType.FullName | Where-Object { $_ -match 'Backup\.Engine|Amazon' } | Should -BeNullOrEmpty
    }

    It 'loads no engine at import' {
        $child = Invoke-ChildShell "Import-Module '$ModulePath'; [AppDomain]::CurrentDomain.GetAssemblies().GetName().Name"
        $child.Output | Should -Match 'AtlassianBackup'
        $child.Output | Should -Not -Match 'Backup\.Engine|AWSSDK'
    }
}

Describe '<Name>' -ForEach $Cmdlets {
    BeforeAll { $Command = Get-Command $Name }

    It 'has an approved verb' { (Get-Verb $Command.Verb) | Should -Not -BeNullOrEmpty }

    It 'has an output type' { $Command.OutputType | Should -Not -BeNullOrEmpty }

    It 'supports ShouldProcess where it writes' {
        # Two tests write where they are asked to: -Record and -PrometheusPath.
        $Command.Parameters.ContainsKey('WhatIf') | Should -Be ($Command.Verb -notin 'Get', 'Test', 'Compare' -or $Name -in 'Test-BackupRun', 'Test-BackupFreshness')
    }

    It 'has the AWS parameters' {
        'ProfileName', 'Region', 'EndpointUrl', 'Credential' | ForEach-Object { $Command.Parameters.Keys | Should -Contain $_ }
    }
}
