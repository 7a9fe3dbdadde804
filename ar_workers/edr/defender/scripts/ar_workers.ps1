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
function Get-Vital([string]$Image) {
    $name = ($Image -split '[\\/]')[-1]
    if (Test-Listed (Get-Below $Image) $SensorFiles 'into') { return $name.ToLowerInvariant() }
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
        if (Test-VitalFile $Path) { return New-Answer 'mismatch' 'a system or sensor file: never touched by automation' }
        if (Test-Linked $Path) { return New-Answer 'mismatch' 'a folder on its path is a link' }
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
    if (Test-VitalKey $Key $Value) { return New-Answer 'mismatch' 'a vital registry key: never touched by automation' }
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
