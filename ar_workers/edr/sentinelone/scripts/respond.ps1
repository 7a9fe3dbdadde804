# RemoteOps script for Windows: upload it as type `action`, input required, and put its id into `scripts`.
# Its one argument is an order as base64url of flat JSON (see remoteops.py). It confirms, acts, and prints one line of JSON.
$ErrorActionPreference = 'Stop'

function Say([string]$outcome, [string]$detail) {
    [Console]::Out.WriteLine((ConvertTo-Json -Compress @{ ar_workers = $request.order; outcome = $outcome; detail = $detail }))
    exit [int]($outcome -eq 'failed')
}

# vital: written by tests/edr/vital_copies.py
$VitalProcesses = -split @'
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe lsm.exe svchost.exe fontdrvhost.exe
dwm.exe logonui.exe userinit.exe ntoskrnl.exe vmms.exe vmcompute.exe clussvc.exe dns.exe ntfrs.exe dfsrs.exe msmpeng.exe
nissrv.exe mpdefendercoreservice.exe mpcmdrun.exe configsecuritypolicy.exe securityhealthservice.exe mssense.exe sensecncproxy.exe
sensesampleuploader.exe senseir.exe sensecm.exe sensendr.exe sensece.exe sensetvm.exe sensetracer.exe sensedlpprocessor.exe
wdavdaemon csfalconservice.exe csfalconcontainer.exe falcond falcon-sensor falcon-sensor-bpf com.crowdstrike.falcon.agent
sentinelagent.exe sentinelagentworker.exe sentinelservicehost.exe sentinelstaticengine.exe sentinelstaticenginescanner.exe
sentinelhelperservice.exe sentinelmemoryscanner.exe sentineld sentineld_helper sentineld_guard sentinel-agent repmgr.exe
reputils.exe repux.exe repwmiutils.exe repwav.exe scanhost.exe repmgr cbagentd cb.exe cbosxsensorservice cbdigitalsignaturehelper
cbdaemon com.carbonblack.es-loader.es-extension cyserver.exe cyveraservice.exe tlaservice.exe twdservice.exe cyvragentsvc.exe
traps_pmd launchd kernel_task windowserver loginwindow opendirectoryd securityd trustd syspolicyd sysextd endpointsecurityd amfid
tccd configd diskarbitrationd coreservicesd notifyd logd fseventsd mds_stores apfsd systemd init sshd systemd-logind dbus-daemon
'@
$VitalServices = -split @'
.net* acpi acpidev acpiex acpipagr acpipmi acpitime adws aelookupsvc afd ajrouter alg amdk8 amdppm amdsata amdsbs amdxata appid*
appinfo appmgmt appreadiness appvclient appvstrm appvvemgr appxsvc arcsas assignedaccessmanagersvc asyncmac atapi
audioendpointbuilder audiosrv autotimesvc axinstsv b06bdrv basicdisplay basicrender battc bcastdvruserservice* bcmfn2 bdesvc beep
bfe bfs bindflt bits bluetoothuserservice* bowser brokerinfrastructure browser bthavctpsvc bthenum bthport bthserv bthusb
buttonconverter camsvc captureservice* cbdhsvc* cdfs cdpsvc cdpusersvc* cdrom certpropsvc certsvc cht4* cimfs circlass cldflt clfs
clipsvc cloudidsvc clusdisk clussvc cmbatt cng compositebus comsysapp condrv consentuxusersvc* coremessagingregistrar
credentialenrollmentmanagerusersvc* crypt32 cryptsvc csc cscservice dam dcomlaunch dcsvc defragsvc deviceassociationbrokersvc*
deviceassociationservice deviceinstall devicepickerusersvc* devicesflowusersvc* devquerybroker dfs dfsc dfsr dfsrro dhcp
dhcpserver diagnosticshub* diagsvc diagtrack dialogblockingservice disk dispbrokerdesktopsvc displayenhancementservice
dmenrollmentsvc dmvsc dmwappushservice dns dnscache dosvc dot3svc dps drmkaud dsmsvc dssvc dusmsvc dxgkrnl eaphost ebdrv
eflowservice efs ehstorclass ehstortcgdrv embeddedmode entappsvc errdev ersvc esent eventlog eventsystem exfat fastfat fax fdc
fdphost fdrespub fhsvc filecrypt fileinfo filetrace flpydisk fltmgr fontcache* frameserver* fs_rec fsdepends fvevol fwpkclnt
gameinputsvc gencounter genericusbfn gpioclx* gpsvc graphicsperfsvc hdaudbus hidbatt hidbth hidi2c hidir hidserv hidusb http
hvhost hvservice hvsocket* hwpolicy hyperkbd hypervideo i8042prt iastor* ibbus icssvc ikeext indirectkmd installservice intelide
intelpep intelppm iorate ipfilterdriver iphlpsvc ipmidrv ipnat ipsecsvc ipt isapnp iscsiprt ismserv kbdclass kbdhid kdc kdnic
kdssvc keyiso kpssvc ksecdd ksecpkg ksthunk ktmrm lanmanserver lanmanworkstation ldap lfsvc licensemanager lltdio lltdsvc lmhosts
lsa lsi_sas* lsm luafv lxpsvc lxssmanager* mapsbroker mausbhost megasas* messagingservice* midisrv mixedrealityopenxrsvc mlx4_bus
mmcss modem monitor mouclass mouhid mountmgr mpsdrv mpssvc mrxdav mrxsmb mrxsmb20 msbridge msdtc msefilter msfs msgpiowin32
mshidkmdf mshidumdf msisadrv msiscsi msiserver mskssrv mslbfo* mslldp mspclock mspqm msquic msrpc msseccore mssmbios mstee
mtconfig mup mvumis nativewifip naturalauthentication ncasvc ncbservice ncdautosetup ndfltr ndis ndiscap ndisimplatform ndistapi
ndisuio ndisvirtualbus ndiswan ndkping ndproxy ndu netbios netbt netlogon netman netprofm netsetupsvc nettcpportsharing netvsc*
ngcctnrsvc ngcsvc nlasvc npfs npsvctrig nsi nsiproxy ntds ntfrs ntfs null nvdimm nvme nvraid nvstor onesyncsvc* p2pimsvc p2psvc
parport partmgr pcasvc pci pciide pcmcia pcw pdc peauth peerdistsvc perceptionsimulation percsas* perfdisk perfhost perfnet perfos
perfproc phonesvc pimindexmaintenancesvc* pktmon pla plugplay pmem pnpmem pnrpautoreg pnrpsvc policyagent portcfg power
pptpminiport printnotify printworkflowusersvc* processor profsvc psched pushtoinstall qwave qwavedrv ramdisk rasacd rasagilevpn
rasauto rasl2tp rasman raspppoe rassstp rdbss rdma rdpbus rdpdr rdpnp rdpvideominiport refs refsv1 remoteaccess remoteregistry
retaildemo rhproxy rmsvc rpceptmapper rpclocator rpcss rspndr s3cap samss sbp2port scardsvr scdeviceenum scfilter schedule scmbus
scpolicysvc sdbus sdfrd sdrsvc sdstor seclogon securityhealthservice semgrsvc sens sensordataservice sensorservice sensrsvc sercx*
serenum serial sermouse sessionenv sgrmagent sgrmbroker sharedaccess sharedrealitysvc shellhwdetection shpamsvc sisraid* smphost
smsrouter snmptrap spaceparser spaceport spatialgraphfilter spectrum spooler sppsvc srv srv2 srvnet ssdpsrv ssh-agent sshd sstpsvc
staterepository stexstor stisvc storahci storflt stornvme storqosflt storsvc storufs storvsc svsvc swenum swprv synth3dvsc sysmain
systemeventsbroker tabletinputservice tapisrv tcpip tcpip6 tcpipreg tcpiptunnel tdx termdd terminput termservice
textinputmanagementservice themes tieringengineservice timebroker* tokenbroker tpm trkwks troubleshootingsvc trustedinstaller
tsusb* ttdrecord* tunnel tzautoupdate ualsvc uaspstor ucmcx* ucmtcpci* ucmucsi* ucx01000 udecx udfs udkusersvc* uefi uevagent*
ufx* umbus umpass umrdpservice unistoresvc* upnphost urschipidea urscx* urssynopsys usbccgp usbcir usbehci usbhub usbhub3 usbohci
usbprint usbser usbstor usbuhci usbvideo usbxhci userdatasvc* usermanager usosvc vaultsvc vdrvroot vds verifierext vga vgapnp
vhdmp vhf vid vmbus* vmcompute vmgid vmic* vmms volmgr* volsnap volume vpci vsmraid vss vstxraid vwifibus vwififlt w32time w3svc
waasmedicsvc walletservice wanarp* warpjitsvc was wbengine wbiosrvc wcifs wcmsvc wcncsvc wdf01000 wdi* wdiservicehost
wdisystemhost wdmcompanionfilter webclient webthreatdef* wecsvc wephostsvc wercplsupport wersvc wfdsconmgrsvc wfplwfs wiarpc
wimmount windowstrustedrt* winhttpautoproxysvc winmad winmgmt winnat winquic winrm winsock* winverbs wisvc wlansvc wlidsvc wlms
wlpasvc wmansvc wmiacpi wmiapsrv wmpnetworksvc wof workfolderssvc wpcmonsvc wpdbusenum wpdupfltr wpnservice wpnuserservice*
ws2ifsl wsearch wuauserv wudf* wwansvc xblauthmanager xblgamesave xboxgipsvc xboxnetapisvc windefend wdfilter wdboot wdnisdrv
wdnissvc wscsvc sense mdcoresvc mpksl* mssecflt mssecwfp mssecrootkit senseecs sgrm* csagent csfalconservice csboot
csdevicecontrol csfirmwareanalysis cspcm sentinel* logprocessorservice cbdefense* ctifile ctinet carbonblack* cbstream cbk7 cbelam
cyserver cyverak cyvrfsfd cyvrlpc cyvrmtgn cyveraservice tdevflt telam tlaservice tedrdrv
'@
$SystemFiles = @'
\bootmgr
\bootnxt
\boot
\efi
\ntldr
\pagefile.sys
\hiberfil.sys
\swapfile.sys
\system volume information
\$extend
\windows\*.exe
\windows\boot
\windows\elambkup
\windows\fonts
\windows\inf
\windows\microsoft.net
\windows\ntds
\windows\security
\windows\servicing
\windows\syswow64
\windows\sysnative
\windows\system32
\windows\systemapps
\windows\systemresources
\windows\sysvol
\windows\winsxs
\users\*\ntuser.dat
\users\*\appdata\local\microsoft\windows\usrclass.dat
\programdata\microsoft\crypto
'@ -split '\r?\n'
$SensorFiles = @'
\program files*\windows defender*
\programdata\microsoft\windows defender*
\program files*\crowdstrike
\programdata\crowdstrike
\program files*\sentinelone
\programdata\sentinel
\programdata\sentinelone
\program files*\confer
\programdata\carbonblack
\windows\carbonblack
\program files*\carbonblack
\program files*\palo alto networks
\programdata\cyvera
'@ -split '\r?\n'
$VitalKeys = @'
hklm\bcd*
hklm\components
hklm\drivers
hklm\hardware
hklm\sam
hklm\security
hklm\software\microsoft\windows nt\currentversion\schedule\taskcache\tree\microsoft
hklm\software\policies\microsoft\windows advanced threat protection
hklm\software\crowdstrike
hklm\software\sentinel labs
hklm\software\sentinelone
hklm\software\confer
hklm\software\carbonblack
hklm\software\cyvera
hklm\software\palo alto networks
'@ -split '\r?\n'
$WholeKeys = @'
hkcu\*
hklm\*
hku\*
hklm\software\policies\microsoft
hkcu\software\classes\.bat
hkcu\software\classes\.cmd
hkcu\software\classes\.com
hkcu\software\classes\.dll
hkcu\software\classes\.exe
hkcu\software\classes\.lnk
hkcu\software\classes\appid
hkcu\software\classes\batfile
hkcu\software\classes\clsid
hkcu\software\classes\cmdfile
hkcu\software\classes\comfile
hkcu\software\classes\directory
hkcu\software\classes\drive
hkcu\software\classes\exefile
hkcu\software\classes\folder
hkcu\software\classes\interface
hkcu\software\classes\lnkfile
hkcu\software\classes\protocols
hkcu\software\classes\typelib
hkcu\software\microsoft\windows*\currentversion
hkcu\software\microsoft\windows\currentversion\explorer
hkcu\software\microsoft\windows\currentversion\policies
hkcu\software\microsoft\windows\currentversion\run*
hkcu\software\microsoft\windows nt\currentversion\windows
hkcu\software\microsoft\windows nt\currentversion\winlogon
hkcu\software\policies\microsoft
'@ -split '\r?\n'
$KeyBranches = @'
hklm\software\classes
hklm\software\microsoft
hklm\system
'@ -split '\r?\n'
$AutostartKeys = @'
hklm\software\classes\*\shellex\contextmenuhandlers\*
hklm\software\classes\*\shellex\propertysheethandlers\*
hklm\software\classes\directory\background\shellex\contextmenuhandlers\*
hklm\software\microsoft\active setup\installed components\*
hklm\software\microsoft\internet explorer\extensions\*
hklm\software\microsoft\office\*\*\addins\*
hklm\software\microsoft\office\*\addins\*
hklm\software\microsoft\office test\special\perf
hklm\software\microsoft\windows\currentversion\explorer\browser helper objects\*
hklm\software\microsoft\windows\currentversion\explorer\shelliconoverlayidentifiers\*
hklm\software\microsoft\windows\currentversion\runonceex\*
hklm\software\microsoft\windows nt\currentversion\image file execution options\*
hklm\software\microsoft\windows nt\currentversion\schedule\taskcache\tree\*
hklm\software\microsoft\windows nt\currentversion\silentprocessexit\*
hklm\software\microsoft\windows nt\currentversion\winlogon\notify\*
hklm\system\currentcontrolset\services\*
'@ -split '\r?\n'
$AutostartValues = @'
hklm\software\microsoft\command processor\autorun
hklm\software\microsoft\netsh\*
hklm\software\microsoft\windows\currentversion\explorer\sharedtaskscheduler\*
hklm\software\microsoft\windows\currentversion\explorer\shellexecutehooks\*
hklm\software\microsoft\windows\currentversion\policies\explorer\run\*
hklm\software\microsoft\windows\currentversion\run\*
hklm\software\microsoft\windows\currentversion\runonce\*
hklm\software\microsoft\windows\currentversion\runonceex\*
hklm\software\microsoft\windows\currentversion\runservices\*
hklm\software\microsoft\windows\currentversion\runservicesonce\*
hklm\software\microsoft\windows\currentversion\shellserviceobjectdelayload\*
hklm\software\microsoft\windows nt\currentversion\windows\appinit_dlls
hklm\software\microsoft\windows nt\currentversion\windows\iconservicelib
hklm\software\microsoft\windows nt\currentversion\windows\load
hklm\software\microsoft\windows nt\currentversion\windows\run
hklm\software\microsoft\windows nt\currentversion\winlogon\gina*
hklm\software\microsoft\windows nt\currentversion\winlogon\shell
hklm\software\microsoft\windows nt\currentversion\winlogon\taskman
hklm\system\currentcontrolset\control\session manager\appcertdlls\*
'@ -split '\r?\n'
$KeyNames = @(
    @('\\(?:wow6432node|wowaa32node)(?=\\|$)', ''),
    @('^hku\\[^\\]+_classes(?=\\|$)', 'hkcu\software\classes'),
    @('^hku\\[^\\]+(?=\\)', 'hkcu'),
    @('^hkcr(?=\\)', 'hklm\software\classes'),
    @('^hkcc(?=\\)', 'hklm\system\currentcontrolset\hardware profiles\current'),
    @('^hklm\\system\\controlset\d+(?=\\|$)', 'hklm\system\currentcontrolset')
)
$Disguise = '^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$'
# end of vital

# Whether names lie as those of an entry do: above or at it (`to`), at or below it (`into`), or just there (`at`).
function Test-Listed([string]$Text, [string[]]$Entries, [string]$How) {
    foreach ($entry in $Entries) {
        $names = $entry -split '\\'
        $depth = ($Text -split '\\').Count
        if (($How -eq 'to' -and $depth -gt $names.Count) -or ($How -eq 'at' -and $depth -ne $names.Count)) { continue }
        if ($How -eq 'to') { $entry = $names[0..($depth - 1)] -join '\' }
        $end = if ($How -eq 'into') { '(?:\\.*)?$' } else { '$' }
        if ($Text -match ('^' + [regex]::Escape($entry).Replace('\*', '[^\\]*') + $end)) { return $true }
    }
    $false
}

# Below its drive, as the lists write it.
function Get-Below([string]$Path) {
    if ($Path -match '^\\\\[?.]\\(.*)$') { $Path = $Matches[1] }
    (($Path -replace '/', '\') -replace '^[A-Za-z]:', '') -replace '\\+', '\' -replace '[. ]+(?=\\|$)', ''
}

function Test-VitalFile([string]$Path) {
    $below = Get-Below $Path
    (Test-Listed $below $SystemFiles 'into') -or (Test-Listed $below $SensorFiles 'into')
}

# A junction or link on the way leads elsewhere than the path says. A folder of a cloud has the attribute, too, and is no link.
function Test-Linked([string]$Path) {
    $folder = Split-Path -LiteralPath $Path
    while ($folder) {
        if ((Get-Item -LiteralPath $folder -Force).LinkType -in 'Junction', 'SymbolicLink') { return $true }
        $folder = Split-Path -LiteralPath $folder
    }
    $false
}

# As the guard does: of the branches of Windows only what starts programs goes.
function Test-VitalKey([string]$Key, [string]$Value) {
    $name = ($Key.ToLowerInvariant() -replace '/', '\' -replace '\\+', '\').Trim('\')
    foreach ($pair in $KeyNames) { $name = $name -replace $pair[0], $pair[1] }
    $services = $VitalServices | ForEach-Object { "hklm\system\currentcontrolset\services\$_" }
    $never = $VitalKeys + $services
    if (Test-Listed $name $never 'into') { return $true }
    if (-not $Value -and (Test-Listed $name ($never + $WholeKeys + $KeyBranches) 'to')) { return $true }
    if (-not (Test-Listed $name $KeyBranches 'into')) { return $false }
    if (Test-Listed $name $AutostartKeys 'into') { return $false }
    -not ($Value -and (Test-Listed "$name\$($Value.ToLowerInvariant())" $AutostartValues 'at'))
}

# The name of the vital process that an image is. Whatever runs from a sensor's folder is the sensor's; such a name on a whole
# path outside the system's folders is a disguise.
function Get-Vital([string]$image) {
    $name = ($image -split '[\\/]')[-1]
    if (Test-Listed (Get-Below $image) $SensorFiles 'into') { return $name.ToLowerInvariant() }
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
    if (Test-VitalFile $path) { Say 'mismatch' 'a system or sensor file: never touched by automation' }
    if (Test-Linked $path) { Say 'mismatch' 'a folder on its path is a link' }
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
    if (Test-VitalKey $request.key $request.value) { Say 'mismatch' 'a vital registry key: never touched by automation' }
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
