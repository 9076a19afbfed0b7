"""Whose the files and folders are that warden makes: nobody else's than those around them.

Standing in the flow: who makes a file or folder that stays asks here. Root often does the first
step (`warden ingest`, `run --once`) in a folder of the service's user; what root leaves there would
be in the service's way.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER_MODE = 0o750


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Give what root has just made to whom the folder belongs; without effect for other users.

    By its descriptor: whoever owns the folder could put something else in the place of a name.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        with suppress(OSError):  # a root that may not (a container's, a network's) goes on as it is
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, open to its group and not to others, whatever the umask.

    Raises:
        OSError: it cannot be made, or something else is there.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    folder.mkdir(FOLDER_MODE, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        give_to_owner_of(folder.parent, descriptor)
    finally:
        os.close(descriptor)
