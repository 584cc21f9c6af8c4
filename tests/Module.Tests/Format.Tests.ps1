BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    [xml]$format = Get-Content -Raw (Join-Path (Split-Path $ModulePath) 'module/AtlassianBackup.Format.ps1xml')
    $Views = foreach ($view in $format.Configuration.ViewDefinitions.View) {
        @{ Type = $view.ViewSelectedBy.TypeName; Columns = @($view.SelectNodes('.//TableColumnHeader')).Count; Kind = $view.TableControl ? 'table' : 'list'; Properties = @($view.SelectNodes('.//PropertyName').ForEach{ $_.InnerText }) }
    }
    $Types = $Views.Type | Sort-Object -Unique | ForEach-Object { @{ Type = $_ } }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    # Loads the engine.
    try { Get-BackupRun 's3://X' } catch { $Engine = $_.Exception.GetType().Assembly }
    function New-Record([string] $Type, [hashtable] $Values) {
        $record = [System.Runtime.CompilerServices.RuntimeHelpers]::GetUninitializedObject($Engine.GetType($Type))
        foreach ($name in $Values.Keys) { $record.GetType().GetProperty($name).SetValue($record, $Values[$name]) }
        $record
    }
}

Describe 'The <Kind> view of <Type>' -ForEach $Views {
    It 'has five columns at the most' { $Columns | Should -BeLessOrEqual 5 }

    It 'shows properties that exist' {
        $class = $Engine.GetType($Type)
        $class | Should -Not -BeNullOrEmpty
        foreach ($property in $Properties) { $class.GetProperty($property) | Should -Not -BeNullOrEmpty -Because $property }
    }
}

Describe 'The output of <Type>' -ForEach $Types {
    It 'prints as a table and as a list without errors' {
        $record = New-Record $Type @{}
        { $record | Format-Table | Out-String } | Should -Not -Throw
        { $record | Format-List | Out-String } | Should -Not -Throw
        $record | Format-Table | Out-String | Should -Not -Match '#ERR'
        $record | Format-List | Out-String | Should -Not -Match '#ERR'
    }

    It 'has both views' { (Get-FormatData $Type).FormatViewDefinition.Control | ForEach-Object { $_.GetType().Name } | Sort-Object | Should -Be ListControl, TableControl }
}

Describe 'Behind a table of something else, <Type>' -ForEach $Types {
    It 'is a few lines, and not all that the object has' {
        # PowerShell lists what follows another type's table by these properties, or by all there are.
        $shown = (New-Record $Type @{}).PSStandardMembers.DefaultDisplayPropertySet.ReferencedPropertyNames
        $shown.Count | Should -BeGreaterThan 0
        $shown.Count | Should -BeLessOrEqual 10
        $shown | Should -BeIn (New-Record $Type @{}).PSObject.Properties.Name
    }
}

Describe 'Sizes' {
    It 'are readable in a table, and bytes in the object' {
        $result = New-Record Backup.Engine.Folders.FolderSyncResult @{ Path = '/srv'; New = 3L; Bytes = 1610612736L }
        $result | Format-Table | Out-String | Should -Match '3 \(1\.5 GiB\)'
        $result.Bytes | Should -Be 1610612736
        $result.Size | Should -Be '1.5 GiB'
    }
}
