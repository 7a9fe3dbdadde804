"""What the suites know of each channel: its module here says so in its `KIT`."""

from importlib import import_module
from typing import get_args

from ar_workers.domain.channels import ChannelName
from ar_workers.simulator import World

KITS = {name: import_module(f"{__name__}.{name}").KIT for name in get_args(ChannelName)}
RIGS = {name: rig for kit in KITS.values() for name, rig in kit.rigs.items()}
OUTCOMES = [outcome for kit in KITS.values() for outcome in kit.outcomes]
#: Each is given the channel of the rig of the same name, and a notification.
JUDGES = {name: kit.judge for kit in KITS.values() for name in kit.rigs}


def a_world():
    return World.from_dict({"tenants": {}, "inboxes": {kit.inbox: kit.settings for kit in KITS.values()}})
