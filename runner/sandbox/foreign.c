/* SPDX-License-Identifier: MIT */
#include "sandbox/foreign.h"

#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/fd.h"

enum { HEAD_BYTES = 256 }; /* as many as the kernel looks at (BINPRM_BUF_SIZE) */

/* System V ABI: e_machine, and what of class and byte order tells apart. 0: either. */
static const struct {
	unsigned machine;
	unsigned char class;
	unsigned char order;
	const char *platform;
} known[] = {
	{EM_X86_64, ELFCLASS64, 0, "linux/amd64"},
	{EM_X86_64, ELFCLASS32, 0, "linux/x32"},
	{EM_386, 0, 0, "linux/386"},
	{EM_AARCH64, 0, 0, "linux/arm64"},
	{EM_ARM, 0, 0, "linux/arm"},
	{EM_RISCV, ELFCLASS64, 0, "linux/riscv64"},
	{EM_RISCV, ELFCLASS32, 0, "linux/riscv32"},
	{EM_PPC64, 0, ELFDATA2LSB, "linux/ppc64le"},
	{EM_PPC64, 0, ELFDATA2MSB, "linux/ppc64"},
	{EM_PPC, 0, 0, "linux/ppc"},
	{EM_S390, ELFCLASS64, 0, "linux/s390x"},
	{EM_MIPS, ELFCLASS64, ELFDATA2LSB, "linux/mips64le"},
	{EM_MIPS, ELFCLASS64, ELFDATA2MSB, "linux/mips64"},
	{EM_MIPS, ELFCLASS32, ELFDATA2LSB, "linux/mipsle"},
	{EM_MIPS, ELFCLASS32, ELFDATA2MSB, "linux/mips"},
	{258 /* EM_LOONGARCH */, 0, 0, "linux/loong64"},
};

/* Our own header, where the linker puts it. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const char *platform_of(const unsigned char ident[EI_NIDENT], unsigned machine)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].machine == machine &&
			(known[i].class == 0 || known[i].class == ident[EI_CLASS]) &&
			(known[i].order == 0 || known[i].order == ident[EI_DATA]))
			return known[i].platform;
	return "another machine";
}

/* e_machine stands in the same place in both classes. */
static const char *platform_of_elf(const unsigned char *head)
{
	const unsigned char *at = head + offsetof(Elf64_Ehdr, e_machine);
	const unsigned machine = head[EI_DATA] == ELFDATA2MSB ? (unsigned)at[0] << 8 | at[1]
							      : (unsigned)at[1] << 8 | at[0];

	if (machine == __ehdr_start.e_machine &&
		memcmp(head, __ehdr_start.e_ident, EI_VERSION) == 0)
		return NULL;
	return platform_of(head, machine);
}

static ssize_t read_head(const char *path, unsigned char head[HEAD_BYTES + 1])
{
	sb_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const ssize_t n = fd >= 0 ? read(fd, head, HEAD_BYTES) : -1;

	if (n >= 0)
		head[n] = '\0';
	return n;
}

const char *sb_foreign_platform(const char *program)
{
	unsigned char head[HEAD_BYTES + 1];
	ssize_t n = read_head(program, head);

	if (n > 2 && memcmp(head, "#!", 2) == 0) {
		const char *line = (const char *)head + 2;
		const char *start = line + strspn(line, " \t");
		sb_autofree char *interpreter = sb_memdup0(start, strcspn(start, " \t\n"));

		n = read_head(interpreter, head);
	}
	if (n < (ssize_t)offsetof(Elf64_Ehdr, e_version) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return NULL;
	return platform_of_elf(head);
}
