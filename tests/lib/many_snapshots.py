# SPDX-License-Identifier: GPL-3.0-or-later
#
# A settings file of a machine with very many snapshots, as deep as the schema goes.
"""Machines with many snapshots."""

import uuid

COUNT, DEPTH = 1000, 250


def hardware(image):
    return f'''<Hardware><CPU><PAE enabled="false"/></CPU><Memory RAMSize="64"/>
      <StorageControllers><StorageController name="IDE" type="PIIX4" PortCount="2" useHostIOCache="true"
        Bootable="true"><AttachedDevice type="HardDisk" hotpluggable="false" port="0" device="0">
        <Image uuid="{{{image}}}"/></AttachedDevice></StorageController></StorageControllers></Hardware>'''


def names(count):
    return [str(uuid.uuid4()) for _ in range(count)]


def write_machine(path):
    """One line of DEPTH, and from its first snapshot lines of 249 more."""
    machine, ids, images = str(uuid.uuid4()), names(COUNT), names(COUNT + 1)
    parent = {}
    for number in range(1, COUNT):
        parent[number] = number - 1 if number < DEPTH or (number - 1) % (DEPTH - 1) else 0
    children = {number: [] for number in range(COUNT)}
    for number, above in parent.items():
        children[above].append(number)

    def snapshot(number):
        below = ''.join(snapshot(child) for child in children[number])
        return (f'<Snapshot uuid="{{{ids[number]}}}" name="s{number}" timeStamp="2025-03-10T17:02:44Z">'
                f'{hardware(images[number])}{f"<Snapshots>{below}</Snapshots>" if below else ""}</Snapshot>')

    def disk(number):
        kind = ' type="Normal"' if number == 0 else ''
        below = ''.join(disk(child) for child in children.get(number, ()))
        if number == DEPTH - 1:
            below += f'<HardDisk uuid="{{{images[COUNT]}}}" location="Snapshots/now.vdi" format="VDI"/>'
        return (f'<HardDisk uuid="{{{images[number]}}}" location="Snapshots/{number}.vdi" format="VDI"{kind}>'
                f'{below}</HardDisk>')
    path.parent.mkdir(parents=True)
    path.write_text(f'''<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
<Machine uuid="{{{machine}}}" name="Many" OSType="Other" currentSnapshot="{{{ids[DEPTH - 1]}}}">
<MediaRegistry><HardDisks>{disk(0)}</HardDisks></MediaRegistry>
{snapshot(0)}{hardware(images[COUNT])}</Machine></VirtualBox>
''')
    return machine
