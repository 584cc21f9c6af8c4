BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Cmdlets = Get-Command -Module AtlassianBackup | ForEach-Object { @{ Name = $_.Name } }
    $Examples = foreach ($cmdlet in $Cmdlets) {
        foreach ($example in (Get-Help $cmdlet.Name).examples.example) {
            @{ Name = $cmdlet.Name; Title = $example.title.Trim('- '); Code = $example.code }
        }
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
}

Describe 'The help of <Name>' -ForEach $Cmdlets {
    BeforeAll {
        $Help = Get-Help $Name -Full
        $Command = Get-Command $Name
    }

    It 'has a synopsis of one sentence' { $Help.Synopsis | Should -Match '^[A-Z].{20,}\.$' }

    It 'has a description' { ($Help.description.Text -join ' ').Length | Should -BeGreaterThan 150 }

    It 'has two examples or more, each explained' {
        @($Help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($example in $Help.examples.example) { ($example.remarks.Text -join '').Length | Should -BeGreaterThan 40 -Because $example.title }
    }

    It 'documents exactly the parameters there are' {
        $there = $Command.Parameters.Keys | Where-Object { $_ -notin $Common -or $_ -in 'WhatIf', 'Confirm' } | Where-Object { $_ -notin $Common -or $Command.Parameters.ContainsKey('WhatIf') } | Sort-Object
        $Help.parameters.parameter.name | Sort-Object | Should -Be $there
        foreach ($parameter in $Help.parameters.parameter) { ($parameter.description.Text -join '').Length | Should -BeGreaterThan 10 -Because $parameter.name }
    }

    It 'tells each parameter as the class has it' {
        foreach ($parameter in $Help.parameters.parameter) {
            $real = $Command.Parameters[$parameter.name]
            $set = @($real.ParameterSets.Values)[0]
            $parameter.required | Should -Be ([string]$set.IsMandatory).ToLowerInvariant() -Because $parameter.name
            ($parameter.pipelineInput -match 'ByPropertyName') | Should -Be $set.ValueFromPipelineByPropertyName -Because $parameter.name
            ($parameter.pipelineInput -match 'ByValue') | Should -Be $set.ValueFromPipeline -Because $parameter.name
            $parameter.position | Should -Be ($set.Position -ge 0 ? "$($set.Position)" : 'named') -Because $parameter.name
        }
    }

    It 'says what goes in, what comes out, and how to get an exit code' {
        $Help.inputTypes.inputType.type.name | Should -Not -BeNullOrEmpty
        $Help.returnValues.returnValue.type.name | Should -Not -BeNullOrEmpty
        ($Help.alertSet.alert.Text -join ' ') | Should -Match 'exit code'
    }

    It 'prints in full' {
        $text = $Help | Out-String
        $text | Should -Match 'EXAMPLE' 
        $text.Length | Should -BeGreaterThan 3000
    }
}

Describe '<Name>, <Title>' -ForEach $Examples {
    It 'parses, and names commands and parameters that exist' {
        $errors = $null
        $ast = [System.Management.Automation.Language.Parser]::ParseInput($Code, [ref]$null, [ref]$errors)
        $errors | Should -BeNullOrEmpty
        $commands = @($ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true))
        $commands | ForEach-Object { $_.GetCommandName() } | Should -Contain $Name
        foreach ($command in $commands) {
            $found = Get-Command $command.GetCommandName() -ErrorAction SilentlyContinue
            $found | Should -Not -BeNullOrEmpty -Because $command.Extent.Text
            foreach ($parameter in $command.CommandElements.Where{ $_ -is [System.Management.Automation.Language.CommandParameterAst] }) {
                { $found.ResolveParameter($parameter.ParameterName) } | Should -Not -Throw -Because $command.Extent.Text
            }
        }
    }
}

Describe 'about_AtlassianBackup' {
    It 'is found by Get-Help' {
        Get-Help about_AtlassianBackup | Out-String | Should -Match 'exit code'
    }

    It 'lists the error ids there are' {
        $text = Get-Help about_AtlassianBackup | Out-String
        $kinds = Invoke-ChildShell "Import-Module '$ModulePath'; `$null = try { Get-BackupRun 's3://X' } catch { `$_.Exception.Kind.GetType().GetEnumNames() -join ' ' }; `$null = 1; try { Get-BackupRun 's3://X' } catch { `$_.Exception.Kind.GetType().GetEnumNames() }"
        foreach ($kind in ($kinds.Output -split '\s+').Where{ $_ -and $_ -ne 'Unknown' }) { $text | Should -Match "\b$kind\b" }
    }
}
