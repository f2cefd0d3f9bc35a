/* SPDX-License-Identifier: MIT */
/*
 * The rows are tried in this order, and the first that fits is taken; then what follows it is read by the table again.
 *
 * In a pattern, a space stands for one or more blanks and "~" for any number of them; what stands from "%{" to "%}" may be
 * missing. After "%":
 *   s  seconds since boot with 4, 6 or 9 decimals    u  microseconds since boot
 *   e  seconds since 1970, decimals or not     E  the same, of a date after 1973
 *   D  seconds since the line before, with six decimals
 *   y m d H M S  two digits each, y four       b  month's name   f  decimals of a second   z  time zone
 *   T  the thread   n  a number   i  a number with decimals   a  weekday   L  letter of a log level
 *   k  a word of small letters, then digits   w  a word   h  a host's name, a tag, a user   p  a path
 *   x  a flag of /dev/kmsg
 *   C  a thread's name, up to the next "]"   B  up to the next "}"
 *   N  up to the next "]"   P  up to the next ":"   g  up to the next "("   r  up to the next ")"
 */
#include "prefix_rows.h"

#define CLOCK "%H:%M:%S%{.%f%}"
#define ISO "%y-%m-%dT" CLOCK
#define LOGCAT "%{%y-%}%m-%d %H:%M:%S.%f%{ %z%} "
#define LOGCAT_USER "%{%h:%}%{%h %}~"
#define HOST "%{%h %}"

const struct prefix_row prefix_rows[] = {
	/* The kernel itself, and those who build it for telephones. */
	{"journalctl -o short-monotonic, short-delta", "[~%s%{ <~%i~>%}~] " HOST "kernel:~", GLUE},
	{"printk.time=1, dmesg --show-delta", "[~%s%{ <~%i>%}]~", GLUE | KERNEL},
	{"Amlogic", "[~%s@%n]~", GLUE | KERNEL},
	{"Motorola", "[~%s,%n]~", GLUE | KERNEL},
	{"Huawei", "[~%ss]~", GLUE | KERNEL},
	{"LG", "[~%s / %m-%d %H:%M:%S.%f]~", GLUE | KERNEL},
	{"LG's processor", "[%n]~", 0},
	{"Huawei's date", "[%y:%m:%d %H:%M:%S]~", 0},
	{"Huawei's thread", "[pid:%T,cpu%n,%N]~", 0},
	{"caller, a thread", "[~T%T%{@C%n%}]~", 0},
	{"caller, a processor", "[~C%n]~", 0},
	{"MediaTek, interrupts on or off", "%{-%}(%n)[%T:%N]~", 0},
	{"tio", "[" CLOCK "]~", 0}, /* without decimals, Samsung's would fit, too */
	{"Samsung", "%{%L%}[%n:~%P:~%T]~", 0},
	{"MediaTek, a thread", "[%T:%C]~", 0},
	{"ASUS", "(CPU:%n-pid:%T:%r)~", 0},
	{"Unisoc, HTC", "c%n %T ", 0},
	{"/dev/kmsg, netconsole", "%{%p,%}%n,%n,%u,%x%{,caller=T%T%}%{,caller=C%n%};", GLUE},
	/* dmesg */
	{"dmesg --ctime, --show-delta", "[%a %b %d " CLOCK " %y%{ <~%i>%}]~", GLUE},
	{"dmesg --time-format delta", "[<~%D>]~", GLUE | DELTA},
	{"dmesg --reltime", "[~+%D]~", GLUE | DELTA},
	{"dmesg --reltime, another minute", "[%b~%n %n:%n]~", GLUE | DELTA},
	{"dmesg --time-format iso", "%y-%m-%dT%H:%M:%S,%f%z ", GLUE},
	/* The journal and daemons of syslog. */
	{"journalctl -o short, -o short-precise, syslog", "%b %d " CLOCK " " HOST "%{%k.%k %}kernel:~", GLUE},
	{"journalctl -o short-iso, rsyslog, syslog-ng", ISO "%z " HOST "%{%k.%k %}kernel:~", GLUE},
	{"syslog of RFC 5424, after its level", "1 " ISO "%z %w kernel %w %w %w~", GLUE},
	{"journalctl -o short-full, -o with-unit", "%a %y-%m-%d %H:%M:%S %w " HOST "kernel:~", GLUE},
	{"logread of OpenWrt", "%a %b %d %H:%M:%S %y %{[%e] %}%{%k.%k %}kernel:~", GLUE},
	{"journalctl -o short-unix", "%e " HOST "kernel:~", GLUE},
	{"metalog, after its time", "[kernel]~", GLUE},
	/* Android's logcat, with its modifiers. */
	{"logcat -v threadtime", LOGCAT LOGCAT_USER "%n %n %L%{ %h%}~:~", GLUE},
	{"logcat -v threadtime -v epoch or monotonic", "~%e " LOGCAT_USER "%n %n %L%{ %h%}~:~", GLUE},
	{"logcat -v time", LOGCAT "%L/%g(~" LOGCAT_USER "%n):~", GLUE},
	{"logcat -v time -v epoch or monotonic", "~%e %L/%g(~" LOGCAT_USER "%n):~", GLUE},
	{"logcat -v brief", "%L/%g(~" LOGCAT_USER "%n):~", GLUE},
	{"logcat -v process, -v thread", "%L(~" LOGCAT_USER "%n%{:~%n%}) ~", GLUE},
	{"logcat -v tag", "%L/%{%h%}~:~", GLUE},
	/* Captures of a serial line. */
	{"grabserial", "[~%e ~%n.%n]~", 0},
	{"grabserial -T", "[%H:%M:%S.%f ~%n.%n]~", 0},
	{"grabserial -F %F %T.%f", "[%y-%m-%d " CLOCK " ~%n.%n]~", 0},
	{"grabserial -F %FT%T.%f", "[" ISO " ~%n.%n]~", 0},
	{"grabserial -F %b %d %T", "[%b %d " CLOCK " ~%n.%n]~", 0},
	{"tio --timestamp-format iso8601", "[" ISO "%{%z%}]~", 0},
	{"tio --timestamp-format epoch", "[%E]~", 0},
	{"minicom", "[%y-%m-%d " CLOCK "]~", 0},
	{"ts", "%b %d " CLOCK " ", 0},
	{"ts -s", CLOCK " ", 0},
	{"ts %FT%.T%z, LAVA", ISO "%{%z%} ", 0},
	{"ts %F %.T", "%y-%m-%d " CLOCK " ", 0},
	{"ts %.s", "%e ", 0},
	/* What stands before, between or after these. */
	{"printk's level", "<%n>", 0},
	{"dmesg --decode", "%k~:%k~:~", 0},
	{"Jira", "{noformat}~", 0},
	{"Jira, with a language", "{code%{:%B%}}~", 0},
	{"mail's quotation", ">~", 0},
	{"grep -n", "%{%p:%}%n:", 0},
	{"grep -n -C", "%n-", 0},
	{"UTF-8's mark", "\xef\xbb\xbf", 0},
	{"UTF-16's mark", "\xff\xfe", 0},
};

const size_t prefix_row_count = sizeof(prefix_rows) / sizeof(prefix_rows[0]);
