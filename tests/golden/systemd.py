#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inorder-chart --systemd asks a real systemd: systemd.py CHART

systemd runs as the init of a container (namespaces of its own, the root read-only), with units made here. One of them
asks, as a user does, once all have started: the chart, and systemctl by itself, which must tell the same."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHART = os.path.abspath(sys.argv[1])
SYSTEMD = next((path for path in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if os.path.exists(path)), None)
WORK = "ExecStart=/bin/sh -c 'i=0; while [ $$i -lt 20000 ]; do i=$$((i + 1)); done'"
UNITS = {
    "default.target": "Wants=second.service capture.service\nAfter=second.service",
    "first.service": f"[Service]\nType=oneshot\nRemainAfterExit=yes\n{WORK}",
    "second.service": f"Wants=first.service\nAfter=first.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n{WORK}",
    "capture.service": "[Service]\nType=exec\nExecStart=/bin/sh /run/case/capture.sh",
    "exit.target": "SuccessAction=exit-force",
    "sysinit.target": "", "basic.target": "", "shutdown.target": "", "umount.target": "", "final.target": "",
    "rescue.target": "", "emergency.target": "",
}
SAVE = "(sed s/^/BootID=/ /proc/sys/kernel/random/boot_id; systemctl show; systemctl show '*') >units.txt"
CAPTURE = f"""cd /run/case
systemctl is-system-running --wait >state
export LD_LIBRARY_PATH={os.environ.get("LD_LIBRARY_PATH", "")}
{CHART} --systemd --text >live.txt 2>errors.txt
{CHART} --systemd --json >live.json 2>>errors.txt
{SAVE}
{CHART} --text units.txt >saved.txt 2>>errors.txt
for unit in first second; do
    systemctl show -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic $unit.service >$unit.times
done
: >done
systemctl --force exit
"""
START = f"""set -e
mount --rbind / root
mount -o remount,bind,ro root
mount -t tmpfs run root/run
mkdir root/run/case root/run/none
mount --bind . root/run/case
mount -t tmpfs dev root/dev
for device in null zero full random urandom; do
    : >root/dev/$device
    mount --bind /dev/$device root/dev/$device
done
mount -t proc proc root/proc
mount --bind root/proc/sys root/proc/sys
mount -o remount,bind,ro root/proc/sys
[ -d root/sys/fs/cgroup ] || mount -t sysfs sysfs root/sys
mount -t cgroup2 cgroup2 root/sys/fs/cgroup
: >begun
exec env -i container=inorder SYSTEMD_UNIT_PATH=/run/case/units SYSTEMD_GENERATOR_PATH=/run/none \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot root {SYSTEMD} --system --log-target=console --show-status=no
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def run(folder):
    (folder / "units").mkdir()
    (folder / "root").mkdir()
    for name, text in UNITS.items():
        (folder / "units" / name).write_text(f"[Unit]\nDefaultDependencies=no\n{text}\n")
    (folder / "capture.sh").write_text(CAPTURE)
    (folder / "start.sh").write_text(START)
    with open(folder / "log", "w", encoding="utf-8") as log:
        subprocess.run(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--uts", "--ipc", "sh", "start.sh"],
                       cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=240, check=False)
    log = (folder / "log").read_text()
    if not (folder / "begun").exists():
        skip("no namespaces of its own for systemd: " + log)
    assert (folder / "done").exists(), log + "".join((folder / name).read_text() for name in ("errors.txt",)
                                                     if (folder / name).exists())


def times_of(folder, unit):
    lines = (folder / (unit + ".times")).read_text().split()
    values = dict(line.split("=") for line in lines)
    return [int(values[key + "TimestampMonotonic"]) * 1000 for key in ("InactiveExit", "ActiveEnter")]


def check(folder):
    live = (folder / "live.txt").read_text()
    assert (folder / "state").read_text() == "running\n", (folder / "state").read_text()
    assert live == (folder / "saved.txt").read_text(), live + (folder / "errors.txt").read_text()
    assert "to default.target, 100.0 % explained" in live.splitlines()[0], live
    model = json.loads((folder / "live.json").read_text())
    spans = [dict(zip(model["spans"]["columns"], row)) for row in model["spans"]["rows"]]
    for unit in ("first", "second"):
        begin, end = times_of(folder, unit)
        span = next(span for span in spans if span["name"] == unit + ".service")
        assert [begin, end] == [model["origin_ns"] + span[key] for key in ("begin_ns", "end_ns")], span
    path = [dict(zip(model["path"]["columns"], row)) for row in model["path"]["rows"]]
    names = [spans[part["span"]]["name"] for part in path if part["what"] == "span"]
    assert names[-2:] == ["first.service", "second.service"], names
    assert names[0] == "systemd", names
    assert model["path_end"] == "default.target", model["path_end"]


def main():
    if os.geteuid() != 0 or not SYSTEMD or not shutil.which("unshare") or not shutil.which("systemctl"):
        skip("needs root, systemd and unshare")
    with tempfile.TemporaryDirectory() as name:
        run(pathlib.Path(name))
        check(pathlib.Path(name))


main()
