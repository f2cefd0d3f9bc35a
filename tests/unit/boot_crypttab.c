/* SPDX-License-Identifier: MIT */
/* The lines of crypttab, as Debian and systemd write them. */
#include "unit.h"

#include "volumes.h"

static struct crypttab parse(const char *text)
{
	struct crypttab entry;
	char line[512];

	strcpy(line, text);
	if (!crypttab_parse(line, &entry))
		fail_msg("nothing is in: %s", text);
	return entry;
}

UNIT(test_passphrase)
{
	const char *const lines[] = {"root UUID=1-2\n", "root UUID=1-2 none luks", "root\tUUID=1-2\t-\tluks",
				     " root  UUID=1-2  none\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const struct crypttab entry = parse(lines[i]);

		assert_string_equal(entry.name, "root");
		assert_string_equal(entry.source, "UUID=1-2");
		assert_string_equal(entry.key, "");
		assert_string_equal(entry.key_device, "");
		assert_string_equal(entry.refusal, "");
		assert_int_equal(entry.tries, 3);
	}
}

UNIT(test_nothing_in_the_line)
{
	const char *const lines[] = {"", "\n", "# comment\n", "  # comment UUID=1 none luks\n", "alone\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct crypttab entry;
		char line[64];

		strcpy(line, lines[i]);
		assert_false(crypttab_parse(line, &entry));
	}
}

UNIT(test_keys)
{
	struct crypttab entry = parse("a /dev/sda2 /etc/keys/a.key luks");

	assert_string_equal(entry.key, "/etc/keys/a.key");
	assert_string_equal(entry.key_device, "");
	entry = parse("a /dev/sda2 /a.key:UUID=77 luks");
	assert_string_equal(entry.key, "/a.key");
	assert_string_equal(entry.key_device, "UUID=77");
	entry = parse("a /dev/sda2 /dev/disk/by-label/keys:/a.key:9 luks,keyscript=passdev");
	assert_string_equal(entry.key, "/a.key");
	assert_string_equal(entry.key_device, "/dev/disk/by-label/keys");
	assert_string_equal(entry.refusal, "");
	entry = parse("a /dev/sda2 LABEL=keys:none keyscript=passdev"); /* on a device a file may have any name */
	assert_string_equal(entry.key_device, "LABEL=keys");
	assert_string_equal(entry.key, "none");
	entry = parse("a /dev/sda2 none luks,no-passdev"); /* a part of a word is not the word */
	assert_string_equal(entry.key, "");
	assert_string_equal(entry.refusal, "");
}

UNIT(test_options)
{
	struct crypttab entry = parse("a /dev/sda2 none luks,discard,readonly,tries=0,timeout=20,keyslot=2,header=/h,"
				      "keyfile-offset=512,keyfile-size=64,no-such-option");

	assert_true(entry.discard && entry.readonly);
	assert_int_equal(entry.tries, 0);
	assert_int_equal(entry.timeout_s, 20);
	assert_string_equal(entry.slot, "2");
	assert_string_equal(entry.header, "/h");
	assert_int_equal(entry.key_offset, 512);
	assert_int_equal(entry.key_bytes, 64);
	assert_string_equal(entry.refusal, "");
	assert_string_equal(entry.ignored, "no-such-option");
	assert_string_equal(parse("a b none luks,initramfs,,x-initrd.attach,nofail,cipher=aes").ignored, "");
	assert_string_equal(parse("a b none luks,check=fs,one=two").ignored, "check=fs");
	assert_string_equal(parse("a b none luks2,nofail").ignored, "luks2");
	assert_string_equal(parse("a b none tries=x").refusal, "'x' is no number, or too large");
	assert_string_equal(parse("a b none timeout=-1").refusal, "'-1' is no number, or too large");
}

UNIT(test_what_cannot_be_done_is_refused)
{
	const char *const options[] = {"keyscript=/bin/mine", "plain", "tcrypt", "bitlk", "swap", "tpm2-device=auto"};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		char line[128];

		strcpy(line, "a /dev/sda2 none luks,");
		strcat(line, options[i]);
		assert_non_null(strstr(parse(line).refusal, options[i]));
		assert_non_null(strstr(parse(line).refusal, "is not supported"));
	}
	assert_string_not_equal(parse("a b nothing keyscript=passdev").refusal, "");
}

/* A text that is cut would name something else. */
UNIT(test_long_fields_are_refused)
{
	const char *const formats[] = {"%s b none",
				       "a %s none",
				       "a b /%s",
				       "a b /k:%s",
				       "a b none luks,header=%s",
				       "a b none keyslot=%s",
				       "a b d:%s keyscript=passdev"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		char line[512], text[300];
		struct crypttab entry;

		memset(text, 'x', sizeof(text));
		text[sizeof(text) - 1] = '\0';
		snprintf(line, sizeof(line), formats[i], text);
		assert_true(crypttab_parse(line, &entry));
		assert_non_null(strstr(entry.refusal, "is too long"));
	}
}

UNIT_MAIN(NULL, NULL)
