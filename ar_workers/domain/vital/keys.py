r"""Registry keys: what never goes, and what alone may go of the branches that Windows lives in.

Each is in its one spelling: HKLM and HKCU, without WOW6432Node, `CurrentControlSet` for every control set, and
`HKLM\SOFTWARE\Classes` for HKCR; a user's own classes stay `HKCU\Software\Classes`.
"""

from __future__ import annotations

from .listed import lines

_HIVES = "https://learn.microsoft.com/windows/win32/sysinfo/registry-hives"
_AUTORUNS = "https://learn.microsoft.com/sysinternals/downloads/autoruns"

#: With all that is above and below them, and every value.
KEYS = (
    lines(
        "Windows",
        _HIVES,
        r"""
hklm\bcd*
hklm\components
hklm\drivers
hklm\hardware
hklm\sam
hklm\security
hklm\software\microsoft\windows nt\currentversion\schedule\taskcache\tree\microsoft
""",
    ),
    lines(
        "Microsoft Defender",
        "https://learn.microsoft.com/defender-endpoint/switch-to-mde-phase-2",
        r"hklm\software\policies\microsoft\windows advanced threat protection",
    ),
    lines(
        "CrowdStrike",
        "https://falcon.eu-1.crowdstrike.com/support/documentation/23/falcon-sensor-for-windows",
        r"hklm\software\crowdstrike",
    ),
    lines(
        "SentinelOne",
        "https://www.sonicwall.com/support/knowledge-base/sentinelone-s1-excluding-s1-from-third-party-av/kA1VN0000000Ff90AE",
        r"""
hklm\software\sentinel labs
hklm\software\sentinelone
""",
    ),
    lines(
        "Carbon Black Cloud",
        "https://docs.vmware.com/en/VMware-Carbon-Black-Cloud: sensor installation guide",
        r"hklm\software\confer",
    ),
    lines(
        "Carbon Black EDR",
        "https://knowledge.broadcom.com/external/article/288103/which-sensor-directories-need-exclusion.html",
        r"hklm\software\carbonblack",
    ),
    lines(
        "Cortex XDR",
        "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR/Cortex-XDR-Agent-Administrator-Guide",
        r"""
hklm\software\cyvera
hklm\software\palo alto networks
""",
    ),
)
#: Themselves, and what is above them. One value, or a key below, may go.
WHOLE_KEYS = (
    lines(
        "Windows",
        _HIVES,
        r"""
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
""",
    ),
)
#: Of these nothing goes but what the next two name.
BRANCHES = (
    lines(
        "Windows",
        _HIVES,
        r"""
hklm\software\classes
hklm\software\microsoft
hklm\system
""",
    ),
)
#: Keys that a program adds below a place from which it is started, with all that is in them.
AUTOSTART_KEYS = (
    lines(
        "Windows",
        f"{_AUTORUNS}; ATT&CK T1037, T1053, T1546, T1547",
        r"""
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
""",
    ),
)
#: Values that start a program, behind a backslash. Not among them: what Windows cannot start or sign in without
#: (Userinit, BootExecute, LSA's packages), which a person sets right instead.
AUTOSTART_VALUES = (
    lines(
        "Windows",
        f"{_AUTORUNS}; ATT&CK T1546, T1547",
        r"""
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
""",
    ),
)
