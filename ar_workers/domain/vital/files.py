r"""Files and folders, with all that is in them. Those of Windows are as on any drive, without its letter."""

from __future__ import annotations

from .listed import lines

WINDOWS_FILES = (
    lines(
        "Windows",
        "https://learn.microsoft.com/sysinternals/resources/windows-internals: 7th edition, part 2, chapter 12",
        r"""
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
""",
    ),
    lines(
        "Microsoft Defender",
        "https://learn.microsoft.com/defender-endpoint/switch-to-mde-phase-2",
        r"""
\program files*\windows defender*
\programdata\microsoft\windows defender*
""",
    ),
    lines(
        "CrowdStrike",
        "https://falcon.eu-1.crowdstrike.com/support/documentation/23/falcon-sensor-for-windows",
        r"""
\program files*\crowdstrike
\programdata\crowdstrike
""",
    ),
    lines(
        "SentinelOne",
        "https://www.sonicwall.com/support/knowledge-base/sentinelone-s1-excluding-s1-from-third-party-av/kA1VN0000000Ff90AE",
        r"""
\program files*\sentinelone
\programdata\sentinel
\programdata\sentinelone
""",
    ),
    lines(
        "Carbon Black Cloud",
        "https://docs.vmware.com/en/VMware-Carbon-Black-Cloud: sensor installation guide",
        r"""
\program files*\confer
\programdata\carbonblack
""",
    ),
    lines(
        "Carbon Black EDR",
        "https://knowledge.broadcom.com/external/article/288103/which-sensor-directories-need-exclusion.html",
        r"""
\windows\carbonblack
\program files*\carbonblack
""",
    ),
    lines(
        "Cortex XDR",
        "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR/Cortex-XDR-Agent-Administrator-Guide",
        r"""
\program files*\palo alto networks
\programdata\cyvera
""",
    ),
)
POSIX_FILES = (
    lines(
        "macOS",
        "https://support.apple.com/HT204899 (System Integrity Protection), hier(7)",
        r"""
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
""",
    ),
    lines(
        "Linux",
        "https://refspecs.linuxfoundation.org/FHS_3.0/fhs/index.html",
        r"""
/boot
/lib
/lib64
/proc
/sys
""",
    ),
    lines(
        "Microsoft Defender",
        "https://learn.microsoft.com/defender-endpoint/mac-resources",
        r"""
/applications/microsoft defender.app
/library/application support/microsoft/defender
/library/launch*/com.microsoft.fresno*
/library/launch*/com.microsoft.wdav*
/opt/microsoft/mdatp
/var/opt/microsoft/mdatp
""",
    ),
    lines(
        "CrowdStrike",
        "https://falcon.crowdstrike.com (signed in): Falcon Sensor for Mac",
        r"""
/applications/falcon.app
/library/application support/crowdstrike
/library/cs
/library/launch*/com.crowdstrike.*
/opt/crowdstrike
""",
    ),
    lines(
        "SentinelOne",
        "https://www.sonicwall.com/support/knowledge-base/sentinelone-s1-excluding-s1-from-third-party-av/kA1VN0000000Ff90AE",
        r"""
/applications/sentinelone
/applications/sentinelone*.app
/library/sentinel
/library/launch*/com.sentinelone.*
/opt/sentinelone
""",
    ),
    lines(
        "Carbon Black Cloud",
        "https://docs.vmware.com/en/VMware-Carbon-Black-Cloud: sensor installation guide",
        r"""
/applications/confer.app
/applications/*carbon black cloud*
/library/application support/com.vmware.carbonblack.cloud
/library/launch*/com.carbonblack.*
/library/launch*/com.vmware.carbonblack.*
/opt/carbonblack
""",
    ),
    lines(
        "Carbon Black EDR",
        "https://knowledge.broadcom.com/external/article/288103/which-sensor-directories-need-exclusion.html",
        r"""
/applications/carbonblack
/applications/*carbon black edr*
/var/lib/cb
""",
    ),
    lines(
        "Cortex XDR",
        "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR/Cortex-XDR-Agent-Administrator-Guide",
        r"""
/applications/cortex xdr.app
/library/application support/paloaltonetworks
/library/launch*/com.paloaltonetworks.*
/opt/traps
""",
    ),
)
