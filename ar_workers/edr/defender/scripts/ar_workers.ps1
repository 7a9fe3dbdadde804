# Kills one process, deletes one file, or deletes one registry key or value: only what its argument identifies, checked and
# done in one run; says which in one line. The argument is base64url of a JSON object whose values are base64url
# themselves: none is ever read as code.
param([Parameter(Mandatory = $true)][string]$Wish)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function ConvertFrom-Base64Url([string]$Text) {
    $plain = $Text.Replace('-', '+').Replace('_', '/')
    $plain += '=' * ((4 - $plain.Length % 4) % 4)
    [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($plain))
}

# Outcomes: done, absent, mismatch, locked, failed, and vital, whose reason is the process's name.
# Reasons are fixed words, so that nothing found here can forge an answer.
function New-Answer([string]$Outcome, [string]$Reason) { @{ outcome = $Outcome; reason = $Reason } }

function Get-Sha256([IO.Stream]$Stream) {
    $algorithm = [Security.Cryptography.SHA256]::Create()
    try { ([BitConverter]::ToString($algorithm.ComputeHash($Stream)) -replace '-').ToLowerInvariant() } finally { $algorithm.Dispose() }
}

function Open-Shared([string]$Path) {
    [IO.File]::Open($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
}

# Copies of what domain/paths.py holds, which a test compares.
$VitalProcesses = -split @'
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe svchost.exe msmpeng.exe
csfalconservice.exe csfalconcontainer.exe sentinelagent.exe repmgr.exe cb.exe cyserver.exe mssense.exe
launchd kernel_task windowserver loginwindow systemd init sshd falcond
'@
$Disguise = '^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$'

# The name of the vital process that an image is. Such a name on a whole path outside the system's folders is a disguise.
function Get-Vital([string]$Image) {
    $name = ($Image -split '[\\/]')[-1]
    if ($Image -match $Disguise) { return '' }
    $VitalProcesses | Where-Object { $_ -eq $name } | Select-Object -First 1
}

# Sensors name a volume by its device. Which drive letter that is only Windows here can tell; a path that it does not tell stays as it is.
function Resolve-Drive([string]$Path) {
    if ($Path -match '^\\SystemRoot(\\.+)$') { return [Environment]::GetFolderPath('Windows') + $Matches[1] }
    if ($Path -notmatch '^(\\Device\\HarddiskVolume\d+)(\\.+)$') { return $Path }
    $device, $rest = $Matches[1], $Matches[2]
    $declared = '[DllImport("kernel32.dll", CharSet = CharSet.Unicode)]' +
        'public static extern uint QueryDosDevice(string name, System.Text.StringBuilder target, uint size);'
    $kernel = Add-Type -MemberDefinition $declared -Name Volumes -Namespace ArWorkers -PassThru
    foreach ($letter in 65..90 | ForEach-Object { "$([char]$_):" }) {
        $target = New-Object Text.StringBuilder 1024
        if ($kernel::QueryDosDevice($letter, $target, 1024) -and $target.ToString() -eq $device) { return $letter + $rest }
    }
    $Path
}

function Stop-Wished($Id, [string]$Path, [string]$Sha256, [string]$Started) {
    if ($Id -le 4) { return New-Answer 'failed' 'no pid that may be killed' }
    if (-not ($Path -or $Sha256 -or $Started)) { return New-Answer 'failed' 'nothing confirms the pid' }
    try { $process = [Diagnostics.Process]::GetProcessById($Id) } catch [ArgumentException] { return New-Answer 'absent' 'no such process' }
    # An open handle keeps Windows from giving the pid to another process between the check and the kill.
    # Of a protected one Windows gives neither handle nor image, and still the name.
    $null = try { $process.Handle } catch { 0 }
    $image = try { $process.MainModule.FileName } catch { '' }
    $vital = Get-Vital $(if ($image) { $image } else { "$($process.ProcessName).exe" })
    if ($vital) { return New-Answer 'vital' $vital }
    if (-not $image) { return New-Answer 'mismatch' 'its image is not shown' }
    # A hash outweighs a name: the same content under another one is still what was meant.
    if (-not $Sha256 -and $Path -and -not [string]::Equals((Resolve-Drive $Path), $image, 'OrdinalIgnoreCase')) {
        return New-Answer 'mismatch' 'its image is another'
    }
    if ($Sha256) {
        try {
            $stream = Open-Shared $image
            try { $found = Get-Sha256 $stream } finally { $stream.Dispose() }
        } catch { return New-Answer 'locked' 'its image is locked or cannot be read' }
        if ($found -ne $Sha256) { return New-Answer 'mismatch' 'its image has another SHA-256' }
    }
    if ($Started) {
        $epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
        $seconds = ($process.StartTime.ToUniversalTime() - $epoch).TotalSeconds - [double]$Started
        if ([Math]::Abs($seconds) -gt 2) { return New-Answer 'mismatch' 'it started at another time' }
    }
    $process.Kill()
    if ($process.WaitForExit(10000)) { New-Answer 'done' 'killed' } else { New-Answer 'failed' 'it did not end' }
}

function Remove-WishedFile([string]$Path, [string]$Sha256) {
    $Path = Resolve-Drive $Path
    if ($Path -notmatch '^[A-Za-z]:\\') { return New-Answer 'mismatch' 'which drive its volume is cannot be told here' }
    # Exists would say of what nobody may look at that it is not there. What fails is told by its kind: its words are in Windows' language.
    try {
        $attributes = [IO.File]::GetAttributes($Path)
        if ($attributes -band [IO.FileAttributes]::Directory) { return New-Answer 'mismatch' 'it is a folder' }
        if ($attributes -band [IO.FileAttributes]::ReparsePoint) { return New-Answer 'mismatch' 'it is a link' }
        # While the stream is open, no other file can take the name of the one that was checked.
        $stream = Open-Shared $Path
        try {
            if ($Sha256 -and (Get-Sha256 $stream) -ne $Sha256) { return New-Answer 'mismatch' 'the file has another SHA-256' }
            [IO.File]::Delete($Path)
        } finally { $stream.Dispose() }
    }
    catch [IO.FileNotFoundException], [IO.DirectoryNotFoundException] { return New-Answer 'absent' 'no file at that path' }
    catch [IO.IOException], [UnauthorizedAccessException] { return New-Answer 'locked' 'the file is locked or cannot be read or deleted' }
    if ([IO.File]::Exists($Path)) { New-Answer 'locked' 'it cannot be deleted' } else { New-Answer 'done' 'deleted' }
}

function Remove-WishedUnder([Microsoft.Win32.RegistryKey]$Base, [string]$Key, [string]$Value) {
    $opened = $Base.OpenSubKey($Key, [bool]$Value)
    if ($null -eq $opened) { return $false }
    try {
        if ($Value) {
            if ($opened.GetValueNames() -notcontains $Value) { return $false }
            $opened.DeleteValue($Value)
            return $true
        }
    } finally { $opened.Dispose() }
    $Base.DeleteSubKeyTree($Key)
    $true
}

function Remove-WishedKey([string]$Key, [string]$Value) {
    $short, $rest = $Key -split '\\', 2
    if (-not $rest) { return New-Answer 'failed' 'a hive is no key' }
    $hives = @{ HKLM = 'LocalMachine'; HKU = 'Users'; HKCU = 'Users'; HKCR = 'ClassesRoot'; HKCC = 'CurrentConfig' }
    $base = [Microsoft.Win32.RegistryKey]::OpenBaseKey($hives[$short], 'Registry64')
    if ($short -ne 'HKCU') {
        if (Remove-WishedUnder $base $rest $Value) { return New-Answer 'done' 'deleted' }
        return New-Answer 'absent' 'no such registry entry'
    }
    # Live response runs as SYSTEM, whose own HKCU is nobody's: the key is looked for in the hive of every user who is logged on.
    $users = $base.GetSubKeyNames() | Where-Object { $_ -match '^S-1-(5-21|12-1)-[0-9-]+$' }
    $removed = @($users | Where-Object { Remove-WishedUnder $base "$_\$rest" $Value }).Count
    if ($removed) { return New-Answer 'done' 'deleted from the hives of the users who are logged on' }
    New-Answer 'failed' 'no user who is logged on has it; a hive that is not loaded cannot be read'
}

$plain = ConvertFrom-Json (ConvertFrom-Base64Url $Wish)
function Get-Field([string]$Name) { ConvertFrom-Base64Url $plain.$Name }
try {
    $answer = switch ($plain.verb) {
        'kill_process' { Stop-Wished ([int](Get-Field pid)) (Get-Field path) (Get-Field sha256) (Get-Field started) }
        'delete_file' { Remove-WishedFile (Get-Field path) (Get-Field sha256) }
        'delete_registry_key' { Remove-WishedKey (Get-Field key) (Get-Field value) }
        default { New-Answer 'failed' 'no such verb here' }
    }
} catch {
    $answer = New-Answer 'failed' $_.Exception.GetBaseException().GetType().Name
}
Write-Output (ConvertTo-Json -Compress @{ mark = $plain.mark; outcome = $answer.outcome; reason = $answer.reason })
