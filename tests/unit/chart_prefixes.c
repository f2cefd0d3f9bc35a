/* SPDX-License-Identifier: MIT */
/*
 * Every form in which people have a kernel log is read; the same line with one character wrong is not drawn, and is
 * reported, so that it is counted.
 */
#include "chart_lines.h"

static const struct form {
	const char *name;
	const char *first;
	const char *second;
	uint64_t usecs;
	const char *wrong; /* the second with one character changed */
} forms[] = {
	{"dmesg", "[    0.460660] ", "[    0.544508] ", EXACT, "[    0.54450x] "},
	{"dmesg -T", "[Sun Nov 29 01:00:00 2026] ", "[Sun Nov 29 01:00:00 2026] ", USECS,
	 "[Sun Nov 29 01:00:00 202x] "},
	{"dmesg -T, day below 10", "[Sun Nov  1 01:00:00 2026] ", "[Sun Nov  1 01:00:01 2026] ", 1000000,
	 "[Sun Nox  1 01:00:01 2026] "},
	{"dmesg -d", "[    0.460660 <    0.000000>] ", "[    0.544508 <    0.083848>] ", EXACT,
	 "[    0.544508 <    0.083848>> "},
	{"dmesg -T -d", "[Sun Nov 29 01:00:00 2026 <    0.000000>] ", "[Sun Nov 29 01:00:00 2026 <    0.083848>] ",
	 USECS, "[Sun Nov 29 01:00:00 2026 <    0.083848>> "},
	{"dmesg --time-format delta", "[<    0.460660>] ", "[<    0.083848>] ", EXACT, "[<    0.08384x>] "},
	{"dmesg --reltime", "[  +0.460660] ", "[  +0.083848] ", EXACT, "[  -0.083848] "},
	{"dmesg --reltime, a minute begins", "[Nov29 01:00] ", "[Nov29 01:01] ", USECS, "[Nov29 01;01] "},
	{"dmesg --reltime in colours", "\033[32m[  +0.460660] \033[0m", "\033[32m[  +0.083848] \033[0m", EXACT,
	 "\033[32m[  +0.0838x8] \033[0m"},
	{"dmesg -x", "kern  :debug : [    0.460660] ", "kern  :debug : [    0.544508] ", EXACT,
	 "kern  :debug : [    0.544508( "},
	{"dmesg -r", "<7>[    0.460660] ", "<7>[    0.544508] ", EXACT, "<7>[    0;544508] "},
	{"dmesg -r without time", "<7>", "<7>", USECS, "<x>"},
	{"dmesg --time-format iso", "2026-11-29T01:00:00,460660+01:00 ", "2026-11-29T01:00:00,544508+01:00 ", EXACT,
	 "2026-11-29T01:00:00,54450x+01:00 "},
	{"colours", "\033[32m[    0.460660] \033[0m", "\033[32m[    0.544508] \033[0m\033[33m", EXACT,
	 "\033[32m[    0.54x508] \033[0m"},
	{"/dev/kmsg", "7,706,460660,-;", "7,4562,544508,-;", EXACT, "7,4562,544508,?;"},
	{"/dev/kmsg with a caller", "7,706,460660,-,caller=T1;", "7,706,544508,-,caller=C0;", EXACT,
	 "7,706,544508,-,caller=X0;"},
	{"caller ids", "[    0.460660][    T1] ", "[    0.544508][    C3] ", EXACT, "[    0.54450][    C3] "},
	{"journalctl short", "Nov 29 01:00:00 host kernel: ", "Nov 29 01:00:00 host kernel: ", USECS,
	 "Nov 29 01:00:00 host kernel; "},
	{"journalctl over new year", "Dec 31 23:59:59 host kernel: ", "Jan  1 00:00:00 host kernel: ", 1000000,
	 "Jan  1 00:00:6x host kernel: "},
	{"journalctl short-monotonic", "[    0.460660] host kernel: ", "[    0.544508] host kernel: ", EXACT,
	 "[    0.544508} host kernel: "},
	{"journalctl short-delta", "[    0.460660 <    0.000000 >] host kernel: ",
	 "[    0.544508 <    0.083848 >] host kernel: ", EXACT, "[    0.544508 <    0.083848 >] host kernel; "},
	{"journalctl short-precise", "Nov 29 01:00:00.460660 host kernel: ", "Nov 29 01:00:00.544508 host kernel: ",
	 EXACT, "Nov 29 01:00:00.x44508 host kernel: "},
	{"journalctl short-iso", "2026-11-29T01:00:00+0000 host kernel: ", "2026-11-29T01:00:00+0000 host kernel: ",
	 USECS, "2026-11-29T01:00:00+00x0 host kernel: "},
	{"journalctl short-iso of today", "2026-11-29T01:00:00+00:00 host kernel: ",
	 "2026-11-29T01:00:01+00:00 host kernel: ", 1000000, "2026-11-29T01:00:01+00:00 host kernel; "},
	{"journalctl short-full", "Sun 2026-11-29 01:00:00 UTC host kernel: ",
	 "Sun 2026-11-29 01:00:00 UTC host kernel: ", USECS, "Son 2026-11-29 01:00:00 UTC host kernel: "},
	{"journalctl short-unix", "1795298018.460660 host kernel: ", "1795298018.544508 host kernel: ", EXACT,
	 "1795298018.544508 host kernel! "},
	{"journalctl --no-hostname", "Nov 29 01:00:00 kernel: ", "Nov 29 01:00:00 kernel: ", USECS,
	 "Nov 29 01:00:00 kernel; "},
	{"journalctl --no-hostname -o short-precise", "Nov 29 01:00:00.460660 kernel: ",
	 "Nov 29 01:00:00.544508 kernel: ", EXACT, "Nov 29 01:00:00.544508 kernfl: "},
	{"journalctl --no-hostname -o short-monotonic", "[    0.460660] kernel: ", "[    0.544508] kernel: ", EXACT,
	 "[    0.54x508] kernel: "},
	{"journalctl short-iso-precise", "2026-11-29T01:00:00.460660+0000 host kernel: ",
	 "2026-11-29T01:00:00.544508+0000 host kernel: ", EXACT, "2026-11-29T01:00:00.544508+0000 host kernel, "},
	{"journalctl short-delta, the first line", "[    0.460660 ] host kernel: ",
	 "[    0.544508 <    0.083848 >] host kernel: ", EXACT, "[    0.544508 <    0.08384x >] host kernel: "},
	{"rsyslog, old", "Nov 29 01:00:00 host kernel: [    0.460660] ", "Nov 29 01:00:00 host kernel: [    0.544508] ",
	 EXACT, "Nov 29 01:00:00 host kernel: [    0.544508) "},
	{"rsyslog, new", "2026-11-29T01:00:00.460660+00:00 host kernel: ",
	 "2026-11-29T01:00:00.544508+00:00 host kernel: ", EXACT, "2026-13-29T01:00:00.544508+00:00 host kernel: "},
	{"busybox syslogd", "Nov 29 01:00:00 host kern.debug kernel: ", "Nov 29 01:00:00 host kern.debug kernel: ",
	 USECS, "Nov 29 01:00:00 host kern debug kernel: "},
	{"ts", "Nov 29 01:00:00 ", "Nov 29 01:00:00 ", USECS, "Nov 29 01:60:00 "},
	{"ts and printk", "Nov 29 01:00:00 [    0.460660] ", "Nov 29 01:00:00 [    0.544508] ", EXACT,
	 "Nov 29 01:00:00 [    0.544508 "},
	{"ts -s", "00:00:01 ", "00:00:01 ", USECS, "00:00:0x "},
	{"ts -s %.s", "0.460660 ", "0.544508 ", EXACT, "0.54450x "},
	{"ts %b %d %H:%M:%.S", "Nov 29 01:00:00.460660 ", "Nov 29 01:00:00.544508 ", EXACT, "Nov 29 01:00.00.544508 "},
	{"ts %H:%M:%.S", "00:00:01.460660 ", "00:00:01.544508 ", EXACT, "00:00:01.54450x "},
	{"ts %FT%.T%z", "2026-11-29T01:00:00.460660+0100 ", "2026-11-29T01:00:00.544508+0100 ", EXACT,
	 "2026-11-29T01:00:00.544508+01x0 "},
	{"ts %FT%T%z", "2026-11-29T01:00:00+0100 ", "2026-11-29T01:00:01+0100 ", 1000000, "2026-11-29T01:00:01+01x0 "},
	{"ts %F %.T", "2026-11-29 01:00:00.460660 ", "2026-11-29 01:00:00.544508 ", EXACT,
	 "2026-11-29 0l:00:00.544508 "},
	{"ts %F %T", "2026-11-29 01:00:00 ", "2026-11-29 01:00:01 ", 1000000, "2026-11-29 01:00;01 "},
	{"tio, seconds", "[01:00:00] ", "[01:00:01] ", 1000000, "[01:00:0x] "},
	{"tio, ISO and local", "[2026-11-29T01:00:00.460] ", "[2026-11-29T01:00:00.544] ", MILLIS,
	 "[2026-11-29T01:00:00.54x] "},
	{"minicom, seconds", "[2026-11-29 01:00:00] ", "[2026-11-29 01:00:01] ", 1000000, "[2026-11-29 01:00:01} "},
	{"a line that a console erased", "\033[K[    0.460660] ", "\033[2K[    0.544508] ", EXACT,
	 "\033[2J[    0.54x508] "},
	{"tio", "[01:00:00.460] ", "[01:00:00.544] ", MILLIS, "[01:00:00.54x] "},
	{"tio, ISO", "[2026-11-29T01:00:00.460+0000] ", "[2026-11-29T01:00:00.544+0000] ", MILLIS,
	 "[2026-11-29T01:00:00.544+000x] "},
	{"tio and printk", "[01:00:00.460] [    0.460660] ", "[01:00:00.546] [    0.544508] ", EXACT,
	 "[01:00:00.546] [   x0.544508] "},
	{"grabserial", "[0.460660 0.000012] ", "[0.544508 0.083848] ", EXACT, "[0.544508 0.0838x8] "},
	{"grabserial -T", "[01:00:00.460660 0.000012] ", "[01:00:00.544508 0.083848] ", EXACT,
	 "[25:00:00.544508 0.083848] "},
	{"minicom", "[2026-11-29 01:00:00.460] ", "[2026-11-29 01:00:00.544] ", MILLIS, "[2026-11-29 01:00:00.544} "},
	{"logcat", "01-01 00:00:00.460     0     0 D         : ", "01-01 00:00:00.544     0     0 D         : ", MILLIS,
	 "01-01 00:00:00.544     0     0 X         : "},
	{"logcat with a tag", "01-01 00:00:00.460     0     0 D kernel  : ",
	 "01-01 00:00:00.544     0     0 D kernel  : ", MILLIS, "01-01 00:00:00.544     0     ! D kernel  : "},
	{"logcat -v threadtime -v year",
	 "2026-01-01 00:00:00.460     0     0 D         : ", "2026-01-01 00:00:00.544     0     0 D         : ", MILLIS,
	 "2026-01-01 00:00:00.544     0     0 X         : "},
	{"logcat -v time", "01-01 00:00:00.460 D/         (    0): ", "01-01 00:00:00.544 D/kernel   (    0): ", MILLIS,
	 "01-01 00:00:00.544 D/         [    0): "},
	{"logcat -v time -v year -v usec", "2026-01-01 00:00:00.460660 D/         (    0): ",
	 "2026-01-01 00:00:00.544508 D/         (    0): ", EXACT, "2026-01-01 00:00:00.544508 D/         (    x): "},
	{"logcat -v brief", "D/         (    0): ", "D/kernel   (    0): ", USECS, "D|         (    0): "},
	{"logcat -v epoch",
	 "         1795298018.460     0     0 D         : ", "         1795298018.544     0     0 D kernel  : ", MILLIS,
	 "         1795298018.544     0     0 X         : "},
	{"MediaTek", "[    0.460660]  (0)[1:swapper/0]", "[    0.544508]  -(3)[1:swapper/0]", EXACT,
	 "[    0.544x08]  (0)[1:swapper/0]"},
	{"Samsung", "[    0.460660]  [0:      swapper/0:    1] ", "[    0.544508] I[3:      swapper/0:    1] ", EXACT,
	 "[    0.54_508]  [0:      swapper/0:    1] "},
	{"Amlogic", "[    0.460660@0]  ", "[    0.544508@3]  ", EXACT, "[    0.544508@x]  "},
	{"Amlogic's caller", "[    0.460660][    T1@C0] ", "[    0.544508][    T1@C3] ", EXACT,
	 "[    0.544508[    T1@C3] "},
	{"Huawei", "[    0.460660s][pid:1,cpu0,swapper/0]", "[    0.544508s][pid:1,cpu3,swapper/0]", EXACT,
	 "[    0.544508z][pid:1,cpu3,swapper/0]"},
	{"Huawei with a date", "[    0.460660s][2026:11:29 01:00:00][pid:1,cpu0,swapper/0]",
	 "[    0.544508s][2026:11:29 01:00:00][pid:1,cpu3,swapper/0]", EXACT,
	 "[    0 544508s][2026:11:29 01:00:00][pid:1,cpu3,swapper/0]"},
	{"LG", "[    0.460660 / 01-01 00:00:00.460][0] ", "[    0.544508 / 01-01 00:00:00.540][0] ", EXACT,
	 "[    0.544508 | 01-01 00:00:00.540][0] "},
	{"Unisoc", "[    0.460660] c0      1 ", "[    0.544508] c3      1 ", EXACT, "[    0.544508( c3      1 "},
	{"mail", "> [    0.460660] ", "> > [    0.544508] ", EXACT, "> [    0.544508[ "},
	{"grep -n", "12:[    0.460660] ", "13:[    0.544508] ", EXACT, "13:[    0.544508 ] "},
	{"grep -n in several files", "dmesg.0:12:[    0.460660] ", "dmesg.0:13:[    0.544508] ", EXACT,
	 "dmesg.0:13:[    0.54 508] "},
	{"grep -n -C", "12-[    0.460660] ", "13-[    0.544508] ", EXACT, "13-[    0.5445o8] "},
	{"dmesg --reltime, a day below 10", "[Nov 5 01:00] ", "[Nov 5 01:01] ", USECS, "[Nov 5 0l:01] "},
	{"dmesg --time-format ctime --time-format delta", "[Sun Nov 29 01:00:00 2026] [<    0.460660>] ",
	 "[Sun Nov 29 01:00:00 2026] [<    0.083848>] ", EXACT, "[Sun Nov 29 01:00:00 2026] [<    0.0x3848>] "},
	{"dmesg --time-format delta after the kernel's time", "[    0.460660] [<    0.000000>] ",
	 "[    0.544508] [<    0.083848>] ", EXACT, "[    0.544508] [<    0.083x48>] "},
	{"netconsole with the kernel's version", "6.4.0,7,706,460660,-;", "6.4.0,7,707,544508,-;", EXACT,
	 "6.4.0,7,707,544508,-:"},
	{"Motorola", "[    0.460660,0] ", "[    0.544508,3] ", EXACT, "[    0.544508.3] "},
	{"ASUS", "[    0.460660](CPU:0-pid:1:swapper/0) ", "[    0.544508](CPU:3-pid:1:swapper/0) ", EXACT,
	 "[    0.5445O8](CPU:3-pid:1:swapper/0) "},
	{"ASUS without time", "(CPU:0-pid:1:swapper/0) ", "(CPU:3-pid:1:swapper/0) ", USECS,
	 "(CPV:3-pid:1:swapper/0) "},
	{"Android, its level, time and thread", "<6>[    0.460660][    T1] ", "<6>[    0.544508][    T1] ", EXACT,
	 "<6>[    0.54;508][    T1] "},
	{"journalctl -o with-unit", "Sun 2026-11-29 01:00:00 UTC host kernel: ",
	 "Sun 2026-11-29 01:00:01 UTC host kernel: ", 1000000, "Sun 2026-11-29 01:00:01 UTC host kernel. "},
	{"syslog of a host without a name", "Jan  1 00:00:00 (none) kern.debug kernel: ",
	 "Jan  1 00:00:01 (none) kern.debug kernel: ", 1000000, "Jan  1 00:00:01 <none) kern.debug kernel: "},
	{"busybox syslogd -S", "Jan  1 00:00:00 kernel: ", "Jan  1 00:00:01 kernel: ", 1000000,
	 "Jan  1 00:00:01 kernel- "},
	{"busybox syslogd with milliseconds", "Jan  1 00:00:00.460 host kern.debug kernel: ",
	 "Jan  1 00:00:00.544 host kern.debug kernel: ", MILLIS, "Jan  1 00:00:00,544 host kern.debug kernel: "},
	{"logread of OpenWrt", "Thu Jan  1 00:01:53 1970 kern.debug kernel: ",
	 "Thu Jan  1 00:01:54 1970 kern.debug kernel: ", 1000000, "Thu Jan  1 00:01:54 197O kern.debug kernel: "},
	{"logread of OpenWrt with printk's time", "Thu Jan  1 00:01:53 1970 kern.debug kernel: [    0.460660] ",
	 "Thu Jan  1 00:01:53 1970 kern.debug kernel: [    0.544508] ", EXACT,
	 "Thu Jan  1 00:01:53 1970 kern.debug kernel: [    0.54450] "},
	{"logread -t", "Sun Nov 29 01:00:00 2026 [1795298018.460] kern.debug kernel: ",
	 "Sun Nov 29 01:00:00 2026 [1795298018.544] kern.debug kernel: ", MILLIS,
	 "Sun Nov 29 01:00:00 2026 [1795298018.544} kern.debug kernel: "},
	{"syslog of RFC 5424", "<7>1 2026-11-29T01:00:00.460660+01:00 host kernel - - - ",
	 "<7>1 2026-11-29T01:00:00.544508+01:00 host kernel - - - ", EXACT,
	 "<7>1 2026-11-29T01:00:00.544508+01:00 host kernek - - - "},
	{"syslog-ng", "2026-11-29T01:00:00+01:00 host kernel: [    0.460660] ",
	 "2026-11-29T01:00:00+01:00 host kernel: [    0.544508] ", EXACT,
	 "2026-11-29T01:00:00+01:00 host kernel: [    0:544508] "},
	{"Chrome OS", "2026-11-29T01:00:00.460660Z DEBUG kernel: ", "2026-11-29T01:00:00.544508Z DEBUG kernel: ", EXACT,
	 "2026-11-29T01:00:00.544508Y DEBUG kernel: "},
	{"metalog", "Nov 29 01:00:00 [kernel] ", "Nov 29 01:00:01 [kernel] ", 1000000, "Nov 29 01:00:01 [kernel) "},
	{"logcat -v threadtime,uid", "01-01 00:00:00.460  root:    0     0 D         : ",
	 "01-01 00:00:00.544  root:    0     0 D         : ", MILLIS,
	 "01-01 00:00:00.544  root;    0     0 D         : "},
	{"logcat -v threadtime,uid, of a uid without a name", "01-01 00:00:00.460  1000:    0     0 D kernel  : ",
	 "01-01 00:00:00.544  1000:    0     0 D kernel  : ", MILLIS,
	 "01-01 00:00:00.544  1000:    0     0 D kernel  ; "},
	{"logcat -v threadtime,zone", "01-01 00:00:00.460 +0100     0     0 D         : ",
	 "01-01 00:00:00.544 +0100     0     0 D         : ", MILLIS,
	 "01-01 00:00:00.544 +01x0     0     0 D         : "},
	{"logcat -v threadtime,year,usec,zone,uid", "2026-01-01 00:00:00.460660 +0100  root:    0     0 D         : ",
	 "2026-01-01 00:00:00.544508 +0100  root:    0     0 D         : ", EXACT,
	 "2026-01-01 00:00:00.544508 +0100  root:    0     0 d         : "},
	{"logcat -v epoch,uid", "         1795298018.460  root:    0     0 D         : ",
	 "         1795298018.544  root:    0     0 D         : ", MILLIS,
	 "         1795298018.544  root:    o     0 D         : "},
	{"logcat -v monotonic", "    0.460     0     0 D         : ", "    0.544     0     0 D         : ", MILLIS,
	 "    0.544     0     0 D         . "},
	{"logcat -v time,uid,zone", "01-01 00:00:00.460 +0100 D/        ( root:    0): ",
	 "01-01 00:00:00.544 +0100 D/        ( root:    0): ", MILLIS,
	 "01-01 00:00:00.544 +0100 D/        ( root:    0)} "},
	{"logcat -v time,epoch", "1795298018.460 D/        (    0): ", "1795298018.544 D/        (    0): ", MILLIS,
	 "1795298018.544 D|        (    0): "},
	{"logcat -v brief,uid", "D/        ( root:    0): ", "D/kernel  ( root:    0): ", USECS,
	 "D/kernel  ( root:    0(: "},
	{"logcat -v process", "D(    0) ", "D(    0) ", USECS, "D(    0} "},
	{"logcat -v process,uid", "D( root:    0) ", "D( root:    0) ", USECS, "D( root;    0) "},
	{"logcat -v thread", "D(    0:    0) ", "D(    0:    0) ", USECS, "D(    0;    0) "},
	{"logcat -v thread,uid", "D( root:    0:    0) ", "D( root:    0:    0) ", USECS, "D( root:    0:    _) "},
	{"logcat -v tag", "D/        : ", "D/kernel  : ", USECS, "D/kernel  / "},
	{"logcat -v color", "\033[38;5;40mD/        : ", "\033[38;5;40mD/kernel  : ", USECS,
	 "\033{38;5;40mD/kernel  : "},
	{"grabserial, padded", "[  0.460660   0.000012] ", "[  0.544508   0.083848] ", EXACT,
	 "[  0.544508   0.0x3848] "},
	{"tio --timestamp-format epoch", "[1795298018.460] ", "[1795298018.544] ", MILLIS, "[1795298018.5x4] "},
	{"tio --timestamp-format epoch-usec", "[1795298018.460660] ", "[1795298018.544508] ", EXACT,
	 "[1795298018.54450x] "},
	{"tio --timestamp-format epoch and printk", "[1795298018.460] [    0.460660] ",
	 "[1795298018.546] [    0.544508] ", EXACT, "[1795298018.546] [    0x544508] "},
	{"Tera Term", "[Sun Nov 29 01:00:00.460 2026] ", "[Sun Nov 29 01:00:00.544 2026] ", MILLIS,
	 "[Sun Nov 29 01:00:00:544 2026] "},
	{"LAVA", "2026-11-29T01:00:00 ", "2026-11-29T01:00:01 ", 1000000, "2026-11-29T01:00.01 "},
	{"LAVA and printk", "2026-11-29T01:00:00 [    0.460660] ", "2026-11-29T01:00:00 [    0.544508] ", EXACT,
	 "2026-11-29T01:00:00 [    0.544508; "},
	{"a build's log with the time in UTC", "2026-11-29T01:00:00.4606600Z ", "2026-11-29T01:00:00.5445080Z ", EXACT,
	 "2026-11-29T01:00:00.5445080X "},
	{"firmware that has cleared the screen", "\033[2J\033[01;01H\033[=3h[    0.460660] ", "[    0.544508] ", EXACT,
	 "\033[2J\033[01;01H\033[=3h[    0.5x4508] "},
	{"firmware that has cleared the screen, without time", "\033[2J\033[01;01H", "\033[0m", USECS, "\033[01;01#"},
	{"UTF-8's mark", "\xef\xbb\xbf", "", USECS, "\xef\xbb\xbe"},
	{"UTF-16's mark, and no zeros any more", "\xff\xfe", "", USECS, "\xff\xff"},
	{"mail without time", "> ", "> > ", USECS, "< "},
	{"grep -n without time", "12:", "dmesg.0:13:", USECS, "dmesg.0;13:"},
	{"grep -n -C without time", "12-", "13-", USECS, "13_"},
	{"ts %.s and the date", "1795298018.460660 ", "1795298018.544508 ", EXACT, "1795298018.544x08 "},
	{"grabserial -F %F %T.%f", "[2026-11-29 01:00:00.460660 0.400000] ", "[2026-11-29 01:00:00.544508 0.083848] ",
	 EXACT, "[2026-11-29 01:00:00.544508 0x083848] "},
	{"grabserial -F %FT%T.%f", "[2026-11-29T01:00:00.460660 0.400000] ", "[2026-11-29T01:00:00.544508 0.083848] ",
	 EXACT, "[2026-11-29T01:00:00.544508 0.083848} "},
	{"grabserial -F %b %d %T", "[Nov 29 01:00:00 0.400000] ", "[Nov 29 01:00:01 0.083848] ", 1000000,
	 "[Nov 29 01:00:0x 0.083848] "},
	{"logcat with a user's name", "11-29 01:00:00.460  root     0     0 D         : ",
	 "11-29 01:00:00.544  root     0     0 D         : ", MILLIS,
	 "11-29 01:00:00.544  root     0     0 X         : "},
	{"MediaTek, a thread", "<7>[    0.460660][1:swapper/0]", "<7>[    0.544508][1:swapper/0]", EXACT,
	 "<7>[    0.544508][1;swapper/0]"},
	{"four decimals", "[    0.4607] ", "[    0.5445] ", 83800, "[    0.544] "},
	{"nine decimals", "[    0.460660000] ", "[    0.544508000] ", EXACT, "[    0.54450800] "},
	{"spaces that do not break",
	 "[\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0"
	 "0.460660]\xc2\xa0",
	 "[\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0"
	 "0.544508]\xc2\xa0",
	 EXACT, "[\xc2\xa0 0.54x508]\xc2\xa0"},
	{"Jira", "{noformat}[    0.460660] ", "{code:title=dmesg}[    0.544508] ", EXACT, "{code[    0.544508] "},
	{"without time", "", "", USECS, "x"},
};

static void check_form(const struct form *form)
{
	struct input input = {0};
	const char *told = read_one(&input, form->first, "calling  acpi_init+0x0/0x540 @ 1");

	if (!told)
		told = read_one(&input, form->second, "initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs");
	if (told)
		fail_msg("%s: %s", form->name, told);
	assert_int_equal(input.count, 2);
	if (input.records[1].t_ns - input.records[0].t_ns != form->usecs * 1000)
		fail_msg("%s: %ju ns", form->name, (uintmax_t)(input.records[1].t_ns - input.records[0].t_ns));
	assert_int_equal(input.records[1].since_ns, input.records[0].t_ns);
	assert_int_equal(input.records[1].tid, 1);
	assert_string_equal(input.records[1].name, "acpi_init");
	if (!read_one(&input, form->wrong, "calling  pci_init+0x0/0x54 @ 1"))
		fail_msg("%s: one character wrong, and not reported", form->name);
	assert_int_equal(input.count, 2);
	input_free(&input);
}

UNIT(every_form_is_read)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i]);
}

/* Where a line tells how long after the one before it was written, those of no interest count, too. */
UNIT(lines_between_count)
{
	static const char *const lines[] = {
		"[Nov29 01:00] Linux version 6.1.0",
		"[  +0.460660] calling  acpi_init+0x0/0x540 @ 1",
		"[  +0.040000] ACPI: enabled",
		"\033[32m[  +0.040000] \033[0mACPI: \033[33mready",
		"[  +0.003848] initcall acpi_init+0x0/0x540 returned 0 after 84000 usecs",
		NULL,
	};
	struct input input;

	read_all(&input, lines);
	assert_int_equal(input.count, 3);
	assert_int_equal(input.records[2].t_ns - input.records[1].t_ns, EXACT * 1000);
	input_free(&input);
}

/* A time without a date goes on after midnight, also where a line of another processor was late. */
UNIT(midnight_is_passed)
{
	static const char *const lines[][3] = {
		{"23:59:59.460000 calling  a_init+0x0/0x10 @ 1",
		 "00:00:00.544000 initcall a_init+0x0/0x10 returned 0 after 1084000 usecs",
		 "23:59:59.960000 calling  b_init+0x0/0x10 @ 2"},
		{"[23:59:59.460000 0.400000] calling  a_init+0x0/0x10 @ 1",
		 "[00:00:00.544000 1.084000] initcall a_init+0x0/0x10 returned 0 after 1084000 usecs",
		 "[23:59:59.960000 0.000000] calling  b_init+0x0/0x10 @ 2"},
	};

	for (size_t i = 0; i < 2; i++) {
		const char *const log[] = {lines[i][0], lines[i][1], lines[i][2], NULL};
		struct input input;

		read_all(&input, log);
		assert_int_equal(input.count, 3);
		assert_int_equal(input.records[1].t_ns - input.records[0].t_ns, 1084000000);
		assert_int_equal(input.records[2].t_ns - input.records[0].t_ns, 500000000);
		input_free(&input);
	}
}

UNIT(what_jira_adds_is_no_trace)
{
	assert_passed_over("{noformat}");
	assert_passed_over("{code}");
	assert_passed_over("{code:title=dmesg|borderStyle=solid}");
	assert_reported("{\"t_ns\":1,");
	assert_reported("{code\":1}");
}

UNIT_MAIN(NULL, clean)
