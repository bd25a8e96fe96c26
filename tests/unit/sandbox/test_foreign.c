/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/foreign.h"

/* A file of these bytes, looked at. */
static const char *look(const void *bytes, size_t len)
{
	char path[] = "/tmp/sb-foreign-XXXXXX";
	const int fd = mkstemp(path);
	const char *found = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	(void)close(fd);
	found = sb_foreign_platform(path);
	(void)unlink(path);
	return found;
}

static void make_elf(unsigned char class, unsigned char order, unsigned machine, Elf64_Ehdr *out)
{
	*out = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, class, order, EV_CURRENT}};
	/* In the order of the machine's bytes, whatever ours is. */
	((unsigned char *)&out->e_machine)[order == ELFDATA2MSB ? 0 : 1] =
		(unsigned char)(machine >> 8);
	((unsigned char *)&out->e_machine)[order == ELFDATA2MSB ? 1 : 0] = (unsigned char)machine;
}

static void machines_are_called_as_images_call_them(void **state)
{
	static const struct {
		unsigned char class, order;
		unsigned machine;
		const char *platform;
	} rows[] = {
		{ELFCLASS64, ELFDATA2LSB, EM_PPC64, "linux/ppc64le"},
		{ELFCLASS64, ELFDATA2MSB, EM_PPC64, "linux/ppc64"},
		{ELFCLASS64, ELFDATA2MSB, EM_S390, "linux/s390x"},
		{ELFCLASS64, ELFDATA2LSB, EM_RISCV, "linux/riscv64"},
		{ELFCLASS64, ELFDATA2LSB, EM_MIPS, "linux/mips64le"},
		{ELFCLASS32, ELFDATA2MSB, EM_MIPS, "linux/mips"},
		{ELFCLASS32, ELFDATA2LSB, EM_ARM, "linux/arm"},
		{ELFCLASS32, ELFDATA2LSB, EM_386, "linux/386"},
		{ELFCLASS64, ELFDATA2LSB, 0x5342, "another machine"},
#if !defined(__aarch64__)
		{ELFCLASS64, ELFDATA2LSB, EM_AARCH64, "linux/arm64"},
#endif
#if !defined(__x86_64__)
		{ELFCLASS64, ELFDATA2LSB, EM_X86_64, "linux/amd64"},
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Elf64_Ehdr elf;
		const char *found = NULL;

		make_elf(rows[i].class, rows[i].order, rows[i].machine, &elf);
		found = look(&elf, sizeof(elf));
		if (found == NULL)
			fail_msg("%s: not seen", rows[i].platform);
		assert_string_equal(found, rows[i].platform);
	}
}

static void a_script_is_what_its_interpreter_is(void **state)
{
	char path[] = "/tmp/sb-foreign-XXXXXX";
	const int fd = mkstemp(path);
	char script[64];
	Elf64_Ehdr elf;

	(void)state;
	assert_true(fd >= 0);
	make_elf(ELFCLASS64, ELFDATA2MSB, EM_S390, &elf);
	assert_int_equal(write(fd, &elf, sizeof(elf)), sizeof(elf));
	(void)close(fd);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(script, sizeof(script), i == 0 ? "#!%s" : "#! %s -e\necho\n", path);
		assert_string_equal(look(script, strlen(script)), "linux/s390x");
	}
	(void)unlink(path);
	assert_null(look(script, strlen(script)));
}

static void what_is_no_foreign_program_is_none(void **state)
{
	Elf64_Ehdr elf;

	(void)state;
	assert_null(sb_foreign_platform("/proc/self/exe"));
	assert_null(sb_foreign_platform("/no/such/file"));
	assert_null(sb_foreign_platform("/"));
	assert_null(look("", 0));
	assert_null(look("echo\n", 5));
	assert_null(look("#!", 2));
	assert_null(look("#!\n", 3));
	make_elf(ELFCLASS64, ELFDATA2LSB, EM_S390, &elf);
	assert_null(look(&elf, offsetof(Elf64_Ehdr, e_machine) + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_are_called_as_images_call_them),
		cmocka_unit_test(a_script_is_what_its_interpreter_is),
		cmocka_unit_test(what_is_no_foreign_program_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
