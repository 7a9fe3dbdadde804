"""What runs on the endpoint: kept in the tenant's script library twice, with the entry point `look` and `act`.

To install: upload this file as `ar_workers_look` (entry point `look`, standard risk) and as `ar_workers_act` (entry point
`act`, high risk), each for all platforms, with one input `judged_request` of type string and an output of type string.
(Versions before took `request`, and did not judge whom they kill: by that name the sender knows not to call them.)
Written for the Python 3.7 that Cortex agents bring along, with nothing but its library and, for processes, psutil.
Each entry point answers a JSON text: `state` is absent, present, mismatch, locked (a file that cannot be read or deleted now),
vital, failed or done; `why` is for people, or the name of the vital process; `image` is that of a process that is present.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import importlib
import json
import os
import re
import stat
import string
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

#: Start times are compared to the second.
SAME_START = 2.0
# fmt: off
# vital: written by tests/edr/vital_copies.py
VITAL_PROCESSES = frozenset(re.findall(r"\S+", r"""
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
"""))
VITAL_SERVICES = frozenset(re.findall(r"\S+", r"""
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
"""))
WINDOWS_SYSTEM_FILES = r"""
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
""".strip().splitlines()
WINDOWS_SENSOR_FILES = r"""
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
""".strip().splitlines()
POSIX_SYSTEM_FILES = r"""
/.vol
/.nofollow
/.resolve
/bin
/dev
/etc
/sbin
/system
/usr/bin
/usr/lib
/usr/libexec
/usr/sbin
/usr/share
/usr/standalone
/var/db
/library/apple
/library/extensions
/library/keychains
/library/preferences/systemconfiguration
/library/security
/library/systemextensions
/users/*/library/keychains
/boot
/lib
/lib64
/proc
/sys
""".strip().splitlines()
POSIX_SENSOR_FILES = r"""
/applications/microsoft defender.app
/library/application support/microsoft/defender
/library/launch*/com.microsoft.fresno*
/library/launch*/com.microsoft.wdav*
/opt/microsoft/mdatp
/var/opt/microsoft/mdatp
/applications/falcon.app
/library/application support/crowdstrike
/library/cs
/library/launch*/com.crowdstrike.*
/opt/crowdstrike
/applications/sentinelone
/applications/sentinelone*.app
/library/sentinel
/library/launch*/com.sentinelone.*
/opt/sentinelone
/applications/confer.app
/applications/*carbon black cloud*
/library/application support/com.vmware.carbonblack.cloud
/library/launch*/com.carbonblack.*
/library/launch*/com.vmware.carbonblack.*
/opt/carbonblack
/applications/carbonblack
/applications/*carbon black edr*
/var/lib/cb
/applications/cortex xdr.app
/library/application support/paloaltonetworks
/library/launch*/com.paloaltonetworks.*
/opt/traps
""".strip().splitlines()
VITAL_KEYS = r"""
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
""".strip().splitlines()
WHOLE_KEYS = r"""
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
""".strip().splitlines()
KEY_BRANCHES = r"""
hklm\software\classes
hklm\software\microsoft
hklm\system
""".strip().splitlines()
AUTOSTART_KEYS = r"""
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
""".strip().splitlines()
AUTOSTART_VALUES = r"""
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
""".strip().splitlines()
KEY_NAMES = (
    (r"\\(?:wow6432node|wowaa32node)(?=\\|$)", r""),
    (r"^hku\\[^\\]+_classes(?=\\|$)", r"hkcu\software\classes"),
    (r"^hku\\[^\\]+(?=\\)", r"hkcu"),
    (r"^hkcr(?=\\)", r"hklm\software\classes"),
    (r"^hkcc(?=\\)", r"hklm\system\currentcontrolset\hardware profiles\current"),
    (r"^hklm\\system\\controlset\d+(?=\\|$)", r"hklm\system\currentcontrolset"),
)
DISGUISE = (
    r"^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)"
    r"(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$"
)
# end of vital
# fmt: on
#: How a system says that somebody holds a file, or that nobody may touch it. Windows' sharing violation comes as EACCES.
_LOCKED = frozenset({errno.EPERM, errno.EACCES, errno.EBUSY, errno.ETXTBSY})
_HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS", "HKCR": "HKEY_CLASSES_ROOT", "HKCC": "HKEY_CURRENT_CONFIG"}


class Locked(Exception):
    """A file cannot be read: whether it is what was meant cannot be told."""


def look(judged_request: str) -> str:
    """Tell what is there, and change nothing."""
    return _answer(judged_request, acting=False)


def act(judged_request: str) -> str:
    """Confirm once more that it is what was meant, and only then end or delete it."""
    return _answer(judged_request, acting=True)


def _answer(request: str, *, acting: bool) -> str:
    try:
        order = json.loads(base64.urlsafe_b64decode(request + "=" * (-len(request) % 4)))
        state, why = _ORDERS[order["verb"]](order, acting)
        image = why if (order["verb"], state) == ("kill_process", "present") else ""
    except Locked as error:
        state, why, image = "locked", str(error), ""
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the answer
        state, why, image = "failed", f"{type(error).__name__}: {error}", ""
    return json.dumps({"state": state, "why": why[:300], "image": image[:1024]})


def _process(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001 - one of a table of functions
    psutil = importlib.import_module("psutil")
    try:
        process = psutil.Process(order["pid"])
        image = process.exe() or process.name()
        other = _other_process(order, image, process.create_time())
        if other:
            return "mismatch", other
        if not acting:
            return "present", image
        listed = vital(image)
        if listed:
            return "vital", listed
        process.kill()  # psutil compares the start time again: a pid that was given away meanwhile is spared
        process.wait(5)
    except psutil.NoSuchProcess:
        return "absent", "no process of this pid"
    return "done", image


def vital(image: str) -> str:
    """The name of the vital process that an image is, or an empty text. Its name in a strange place is a disguise."""
    name = re.split(r"[\\/]", image)[-1].lower()
    if _is_listed(image, WINDOWS_SENSOR_FILES, POSIX_SENSOR_FILES):
        return name
    return name if name in VITAL_PROCESSES and not re.match(DISGUISE, image, re.IGNORECASE) else ""


def is_vital_file(path: str) -> bool:
    """Whether it is the system's or a sensor's."""
    return _is_listed(path, WINDOWS_SYSTEM_FILES + WINDOWS_SENSOR_FILES, POSIX_SYSTEM_FILES + POSIX_SENSOR_FILES)


def _is_listed(path: str, windows: list[str], posix: list[str]) -> bool:
    """Below its drive, and by the one of macOS' names for it that the lists have."""
    text = path.lower()
    if not text.startswith("/"):
        names = re.sub(r"^(?:\\\\[?.]\\)?[a-z]:", "", text.replace("/", "\\")).split("\\")
        parts = [name.rstrip(". ") or name for name in names if name]
        return bool(re.search(r"[\\/]", path)) and _lies(["", *parts], windows, "into")
    text = re.sub("^/volumes/[^/]*/", "/", re.sub("^/private/", "/", re.sub("^/system/volumes/data/", "/", re.sub("/+", "/", text))))
    return _lies(text.split("/"), [each.replace("/", "\\") for each in posix], "into")


def is_vital_key(key: str, value: str | None) -> bool:
    """As the guard does: of the branches of Windows only what starts programs goes."""
    text = "\\".join(filter(None, re.split(r"[\\/]", key.lower())))
    for pattern, name in KEY_NAMES:
        text = re.sub(pattern, name.replace("\\", "\\\\"), text)
    parts = text.split("\\")
    never = VITAL_KEYS + ["hklm\\system\\currentcontrolset\\services\\" + name for name in VITAL_SERVICES]
    if _lies(parts, never, "into") or (not value and _lies(parts, never + WHOLE_KEYS + KEY_BRANCHES, "to")):
        return True
    if not _lies(parts, KEY_BRANCHES, "into") or _lies(parts, AUTOSTART_KEYS, "into"):
        return False
    return not (value and _lies([*parts, value.lower()], AUTOSTART_VALUES, "at"))


def _is_named(part: str, name: str) -> bool:
    return part == name or ("*" in name and fnmatchcase(part, name))


def _lies(parts: list[str], entries: list[str], how: str) -> bool:
    """Whether names are those of an entry (`at`), lie below it as well (`into`), or above it (`to`)."""
    for entry in entries:
        names = entry.split("\\")
        fits = {"at": len(parts) == len(names), "into": len(parts) >= len(names), "to": len(parts) <= len(names)}[how]
        if fits and all(map(_is_named, parts, names)):
            return True
    return False


def _other_process(order: dict[str, Any], image: str, started: float) -> str:
    """Why the process is not, or cannot be shown to be, the one that is meant. A hash outweighs a name and a start time."""
    if not image:
        return "its image is not shown"
    found = _sha256(Path(image)) if order.get("sha256") else ""
    if found:
        return "" if found == order["sha256"] else "its image has another SHA-256"
    if order.get("path") and not _same_path(_by_its_drive(order["path"]), image):
        return f"its image is {image}"
    if order.get("started"):
        return "" if abs(started - order["started"]) <= SAME_START else "it started at another time"
    if order.get("sha256"):
        raise Locked(f"{image} is gone, locked or cannot be read")
    return "" if order.get("path") else "no start time could be read"


def _by_its_drive(path: str) -> str:
    """A path by its drive, as Windows here tells it where the order names a volume by its device; else as it is."""
    found = re.match(r"^(\\SystemRoot|\\Device\\HarddiskVolume\d+)(\\.+)$", path, re.IGNORECASE)
    if not found:
        return path
    if found[1].lower() == "\\systemroot":
        return os.environ["SYSTEMROOT"] + found[2]
    letters = (letter for letter in string.ascii_uppercase if _device_of(f"{letter}:").lower() == found[1].lower())
    letter = next(letters, "")
    return f"{letter}:{found[2]}" if letter else path


def _device_of(drive: str) -> str:
    ctypes = importlib.import_module("ctypes")
    target = ctypes.create_unicode_buffer(1024)
    return target.value if ctypes.windll.kernel32.QueryDosDeviceW(drive, target, 1024) else ""


def _same_path(one: str, other: str) -> bool:
    if "\\" in one:
        return one.casefold() == other.casefold()
    return one == other


def _file(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001
    named = _by_its_drive(order["path"])
    if named.startswith("\\"):
        return "mismatch", "which drive its volume is cannot be told here"
    path = Path(named)
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "absent", "no file at this path"
    except PermissionError as error:
        raise Locked(f"the file is locked or cannot be read: {error}") from error
    if not stat.S_ISREG(kind):
        return "mismatch", "a link or a folder is at this path"
    # Where the folders on its path really lead, and what Windows calls a short name.
    if is_vital_file(named) or is_vital_file(os.path.realpath(named)):
        return "mismatch", "a system or sensor file: never touched by automation"
    found = _sha256(path)
    if order.get("sha256") and found != order["sha256"]:
        if not found:
            raise Locked("the file is locked or cannot be read")
        return "mismatch", "the file's content is another"
    return _deleted(path) if acting else ("present", f"sha256 {found or 'unknown'}")


def _deleted(path: Path) -> tuple[str, str]:
    try:
        path.unlink()
    except OSError as error:
        if error.errno in _LOCKED:
            raise Locked(f"the file cannot be deleted: {error}") from error
        raise
    return "done", str(path)


def _sha256(path: Path) -> str:
    """The content's hash, or an empty text where it cannot be read."""
    content = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            for part in iter(lambda: stream.read(2**20), b""):
                content.update(part)
    except OSError:
        return ""
    return content.hexdigest()


def _registry(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001
    winreg = importlib.import_module("winreg")
    if is_vital_key(order["key"], order.get("value")):
        return "mismatch", "a vital registry key: never touched by automation"
    name, _, key = order["key"].partition("\\")
    hive, value = getattr(winreg, _HIVES[name]), order.get("value")
    if not _is_there(winreg, hive, key, value):
        return "absent", "no such registry entry"
    if not acting:
        return "present", "the registry entry is there"
    if value:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_SET_VALUE | winreg.KEY_WOW64_64KEY) as opened:
            winreg.DeleteValue(opened, value)
    else:
        winreg.DeleteKeyEx(hive, key, winreg.KEY_WOW64_64KEY, 0)  # refuses a key that has keys below it
    return "done", "deleted"


def _is_there(winreg: Any, hive: Any, key: str, value: str | None) -> bool:
    try:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            if value:
                winreg.QueryValueEx(opened, value)
    except FileNotFoundError:
        return False
    return True


_ORDERS = {"kill_process": _process, "delete_file": _file, "delete_file_on_volume": _file, "delete_registry_key": _registry}
