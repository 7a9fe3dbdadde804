# RemoteOps script for Windows: upload it as type `action`, input required, and put its id into `scripts`.
# Its one argument is an order as base64url of flat JSON (see remoteops.py). It confirms, acts, and prints one line of JSON.
$ErrorActionPreference = 'Stop'

function Say([string]$outcome, [string]$detail) {
    [Console]::Out.WriteLine((ConvertTo-Json -Compress @{ ar_workers = $request.order; outcome = $outcome; detail = $detail }))
    exit [int]($outcome -eq 'failed')
}

# Copies of what domain/paths.py holds, which a test compares.
$VitalProcesses = -split @'
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe svchost.exe msmpeng.exe
csfalconservice.exe csfalconcontainer.exe sentinelagent.exe repmgr.exe cb.exe cyserver.exe mssense.exe
launchd kernel_task windowserver loginwindow systemd init sshd falcond
'@
$Disguise = '^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$'

# The name of the vital process that an image is. Such a name on a whole path outside the system's folders is a disguise.
function Get-Vital([string]$image) {
    $name = ($image -split '[\\/]')[-1]
    if ($image -match $Disguise) { return '' }
    $VitalProcesses | Where-Object { $_ -eq $name } | Select-Object -First 1
}

# Sensors name a volume by its device. Which drive letter that is only Windows here can tell; a path that it does not tell stays as it is.
function Resolve-Drive([string]$path) {
    if ($path -match '^\\SystemRoot(\\.+)$') { return [Environment]::GetFolderPath('Windows') + $Matches[1] }
    if ($path -notmatch '^(\\Device\\HarddiskVolume\d+)(\\.+)$') { return $path }
    $device, $rest = $Matches[1], $Matches[2]
    $declared = '[DllImport("kernel32.dll", CharSet = CharSet.Unicode)]' +
        'public static extern uint QueryDosDevice(string name, System.Text.StringBuilder target, uint size);'
    $kernel = Add-Type -MemberDefinition $declared -Name Volumes -Namespace ArWorkers -PassThru
    foreach ($letter in 65..90 | ForEach-Object { "$([char]$_):" }) {
        $target = New-Object Text.StringBuilder 1024
        if ($kernel::QueryDosDevice($letter, $target, 1024) -and $target.ToString() -eq $device) { return $letter + $rest }
    }
    $path
}

function Get-Hash([string]$path, [string]$algorithm = 'SHA256') {
    try { (Get-FileHash -LiteralPath $path -Algorithm $algorithm).Hash.ToLowerInvariant() } catch { '' }
}

# What cannot be read is neither what was meant nor another.
function Confirm-Hash([string]$found, [string]$meant, [string]$what, [string]$other) {
    if (-not $found) { Say 'locked' "$what is locked or cannot be read" }
    if ($found -ne $meant) { Say 'mismatch' $other }
}

function Stop-Confirmed {
    $id = [int64]$request.pid
    if ($id -le 4) { Say 'mismatch' 'not a pid that may be killed' }
    if (-not ($request.path -or $request.sha256 -or $request.started)) { Say 'mismatch' 'a pid alone confirms nothing' }
    $process = Get-CimInstance Win32_Process -Filter "ProcessId = $id"
    if (-not $process) { Say 'absent' "no process $id" }
    # Windows hides the image of a protected process, and never its name.
    $image = [string]$process.ExecutablePath
    $vital = Get-Vital $(if ($image) { $image } else { [string]$process.Name })
    if ($vital) { Say 'vital' $vital }
    if (-not $image) { Say 'mismatch' "the image of pid $id is not shown" }
    # A hash outweighs a name: the same content under another one is still what was meant.
    if (-not $request.sha256 -and $request.path -and (Resolve-Drive $request.path) -ne $image) { Say 'mismatch' "pid $id runs $image" }
    if ($request.sha256) {
        Confirm-Hash (Get-Hash $image) $request.sha256 "the image of pid $id" "the image of pid $id has another SHA-256"
    }
    if ($request.started) {
        $started = [DateTimeOffset]::Parse($request.started, [Globalization.CultureInfo]::InvariantCulture).UtcDateTime
        $apart = ($process.CreationDate.ToUniversalTime() - $started).TotalSeconds
        if ([Math]::Abs($apart) -gt 2) { Say 'mismatch' "pid $id started at another time" }
    }
    Stop-Process -Id $id -Force
    foreach ($turn in 1..10) {
        if (-not (Get-Process -Id $id -ErrorAction SilentlyContinue)) { Say 'done' "killed $id $image" }
        Start-Sleep -Milliseconds 500
    }
    Say 'failed' "pid $id is still running"
}

# The attributes of what is at a path, or nothing where nothing is: by the kind of the failure, as its words are in Windows' language.
# Test-Path says of what nobody may look at that it is not there.
function Get-Kind([string]$path) {
    try { return [IO.File]::GetAttributes($path) }
    catch [IO.FileNotFoundException], [IO.DirectoryNotFoundException] { return $null }
    catch { Say 'locked' "the file is locked or cannot be read: $($_.Exception.Message)" }
}

function Remove-ConfirmedFile {
    $path = Resolve-Drive $request.path
    if ($path -notmatch '^[A-Za-z]:\\') { Say 'mismatch' 'which drive its volume is cannot be told here' }
    $attributes = Get-Kind $path
    if ($null -eq $attributes) { Say 'absent' 'no file at that path' }
    if ($attributes -band ([IO.FileAttributes]'Directory, ReparsePoint')) { Say 'mismatch' 'not a regular file' }
    if ($request.sha256) { Confirm-Hash (Get-Hash $path) $request.sha256 'the file' 'another file is at that path: its SHA-256 differs' }
    if ($request.sha1) { Confirm-Hash (Get-Hash $path 'SHA1') $request.sha1 'the file' 'another file is at that path: its SHA-1 differs' }
    try { Remove-Item -LiteralPath $path -Force } catch { Say 'locked' "the file cannot be deleted: $($_.Exception.Message)" }
    if ($null -ne (Get-Kind $path)) { Say 'locked' 'the file cannot be deleted' }
    Say 'done' 'deleted'
}

# The script runs as SYSTEM, whose own HKCU is nobody's: HKCU means that of everyone who is signed in.
function Get-Keys {
    $hives = @{ HKLM = 'HKEY_LOCAL_MACHINE'; HKU = 'HKEY_USERS'; HKCR = 'HKEY_CLASSES_ROOT'; HKCC = 'HKEY_CURRENT_CONFIG' }
    $hive, $rest = $request.key -split '\\', 2
    if ($hive -ne 'HKCU') { return "Registry::$($hives[$hive])\$rest" }
    Get-ChildItem -LiteralPath 'Registry::HKEY_USERS' | Where-Object { $_.PSChildName -match '^S-1-(5-21|12-1)-[\d-]+$' } |
        ForEach-Object { "Registry::HKEY_USERS\$($_.PSChildName)\$rest" }
}

function Test-Entry([string]$key) {
    (Test-Path -LiteralPath $key) -and (-not $request.value -or (Get-Item -LiteralPath $key).GetValueNames() -contains $request.value)
}

function Remove-Entries {
    $found = @(Get-Keys | Where-Object { Test-Entry $_ })
    if (-not $found) {
        if ($request.key -like 'HKCU\*') { Say 'failed' 'nobody who is signed in has it; the hives of others are not loaded' }
        Say 'absent' 'no such key or value'
    }
    foreach ($key in $found) {
        if ($request.value) { (Get-Item -LiteralPath $key).OpenSubKey('', $true).DeleteValue($request.value) }
        else { Remove-Item -LiteralPath $key -Recurse -Force }
    }
    if (@($found | Where-Object { Test-Entry $_ })) { Say 'failed' 'it is still there' }
    Say 'done' "deleted in $($found.Count) place(s)"
}

$word = ([string]$args[0]).Replace('_', '/').Replace('-', '+')
$word += '=' * ((4 - $word.Length % 4) % 4)
$request = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($word)) | ConvertFrom-Json
try {
    switch ($request.verb) {
        'kill_unless_vital' { Stop-Confirmed }
        'delete_file' { Remove-ConfirmedFile }
        'delete_confirmed_file' { Remove-ConfirmedFile }
        'delete_registry_key' { Remove-Entries }
        default { Say 'failed' 'an order that this script does not know' }
    }
}
catch { Say 'failed' $_.Exception.Message }
