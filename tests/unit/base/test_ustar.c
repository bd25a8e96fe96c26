/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/ustar.h"

static struct sb_ustar example(void)
{
	struct sb_ustar header = sb_ustar_new(SB_TAR_FILE);

	memcpy(header.name, "hello", 5);
	sb_ustar_put_octal(header.mode, sizeof(header.mode), 0644);
	sb_ustar_put_checksum(&header);
	return header;
}

static void octal_digits_end_with_a_nul(void **state)
{
	char field[8];

	(void)state;
	memset(field, 'x', sizeof(field));
	sb_ustar_put_octal(field, sizeof(field), 0755);
	assert_memory_equal(field, "0000755", 8);
	sb_ustar_put_octal(field, sizeof(field), 07777777);
	assert_memory_equal(field, "7777777", 8);
}

/* What Python's tarfile makes of the same fields. */
static void the_checksum_of_a_header(void **state)
{
	struct sb_ustar header = example();

	(void)state;
	assert_memory_equal(header.checksum, "010221\0 ", 8);
	assert_true(sb_ustar_has_valid_sum(&header));
}

static void every_flipped_byte_is_seen(void **state)
{
	const struct sb_ustar header = example();
	/* The two that end the checksum are no part of it. */
	const size_t ends = offsetof(struct sb_ustar, checksum) + 6;

	(void)state;
	for (size_t i = 0; i < sizeof(header); i++) {
		unsigned char block[SB_TAR_BLOCK];

		memcpy(block, &header, sizeof(block));
		block[i] ^= 0x01;
		if (i != ends && i != ends + 1)
			assert_false(sb_ustar_has_valid_sum(block));
	}
}

static void forms_of_the_checksum(void **state)
{
	static const struct {
		char field[9];
		bool is_valid;
	} rows[] = {
		{"010221", true},
		{"0010221", true},
		{"   10221", true}, /* no end, and blanks before it */
		{" 10221 ", true},  /* of V7 */
		{"010222", false},
		{"00004241", false}, /* decimal */
		{"x010221", false},
		{"", false},
		{"        ", false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct sb_ustar header = example();

		memcpy(header.checksum, rows[i].field, sizeof(header.checksum));
		assert_int_equal(sb_ustar_has_valid_sum(&header), rows[i].is_valid);
	}
}

static void signed_sums_are_taken_too(void **state)
{
	struct sb_ustar header = example();
	char text[9];
	int sum = 0;

	(void)state;
	header.name[0] = (char)0xe4;
	memset(header.checksum, ' ', sizeof(header.checksum));
	for (size_t i = 0; i < sizeof(header); i++)
		sum += ((const signed char *)&header)[i];
	(void)snprintf(text, sizeof(text), "%06o", (unsigned)sum);
	memcpy(header.checksum, text, sizeof(header.checksum));
	assert_true(sb_ustar_has_valid_sum(&header));
}

static void zeros_are_no_header(void **state)
{
	static const char zeros[SB_TAR_BLOCK];

	(void)state;
	assert_false(sb_ustar_has_valid_sum(zeros));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octal_digits_end_with_a_nul),
		cmocka_unit_test(the_checksum_of_a_header),
		cmocka_unit_test(every_flipped_byte_is_seen),
		cmocka_unit_test(forms_of_the_checksum),
		cmocka_unit_test(signed_sums_are_taken_too),
		cmocka_unit_test(zeros_are_no_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
