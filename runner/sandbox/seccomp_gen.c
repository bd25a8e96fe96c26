/* SPDX-License-Identifier: MIT */
/*
 * Runs when safebuild is built: writes the seccomp program of a step, made by libseccomp, as a C
 * array. So a step loads a program that was prepared once (libseccomp takes longer to make it than
 * the whole sandbox takes to start), and the confined part of safebuild does not carry a compiler
 * for it.
 */
#include <errno.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/seccomp_policy.h"

static void check(int rc, const char *what)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "seccomp: %s: %s\n", what, strerror(-rc));
	exit(1);
}

/* Adds one rule; names that an architecture does not have are passed over by libseccomp (negative
 * numbers). */
static void add(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned n,
	const struct scmp_arg_cmp *args)
{
	const int nr = seccomp_syscall_resolve_name(name);

	/* A call younger than this libseccomp: the default action answers it. */
	if (nr == __NR_SCMP_ERROR)
		return;

	const int rc = seccomp_rule_add_array(ctx, action, nr, n, args);

	/* EDOM: the call exists, but none of the added architectures has it. */
	if (rc != -EDOM)
		check(rc, name);
}

/* The 32-bit programs that a machine runs too; x32, which hardly any kernel has on, is not among
 * them. */
static void add_architectures(scmp_filter_ctx ctx)
{
	static const struct {
		uint32_t native;
		uint32_t compat;
	} table[] = {
		{SCMP_ARCH_X86_64, SCMP_ARCH_X86},
		{SCMP_ARCH_AARCH64, SCMP_ARCH_ARM},
		{SCMP_ARCH_S390X, SCMP_ARCH_S390},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].native == seccomp_arch_native())
			check(seccomp_arch_add(ctx, table[i].compat), "add architecture");
	}
}

static void add_policy(scmp_filter_ctx ctx)
{
	static const uint64_t personalities[] = SB_SECCOMP_PERSONALITIES;
	static const uint64_t families[] = SB_SECCOMP_SOCKET_FAMILIES;

	for (const char *const *name = sb_seccomp_allowed; *name != NULL; name++)
		add(ctx, SCMP_ACT_ALLOW, *name, 0, NULL);
	for (const char *const *name = sb_seccomp_refused; *name != NULL; name++)
		add(ctx, SCMP_ACT_ERRNO(EPERM), *name, 0, NULL);

	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++)
		add(ctx, SCMP_ACT_ALLOW, "personality", 1,
			(struct scmp_arg_cmp[]){SCMP_A0(SCMP_CMP_EQ, personalities[i])});

	/* No new namespace of any kind. clone3 hides its flags in memory: it is answered ENOSYS,
	 * and the C library falls back to clone. */
	add(ctx, SCMP_ACT_ALLOW, "clone", 1,
		(struct scmp_arg_cmp[]){SCMP_A0(SCMP_CMP_MASKED_EQ, SB_SECCOMP_CLONE_REFUSED, 0)});

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		add(ctx, SCMP_ACT_ALLOW, "socket", 1,
			(struct scmp_arg_cmp[]){SCMP_A0(SCMP_CMP_EQ, families[i])});
}

/*
 * A second program on top, for what is easier said as "all but": the kernel takes an ioctl's number
 * as 32 bits, so only these are compared.
 */
static void add_exceptions(scmp_filter_ctx ctx, bool is_32bit)
{
	static const uint64_t ioctls[] = SB_SECCOMP_IOCTLS_REFUSED;

	for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++)
		add(ctx, SCMP_ACT_ERRNO(EPERM), "ioctl", 1,
			(struct scmp_arg_cmp[]){
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, ioctls[i])});

	/* The step's first process is ours, and of the same user as the step's root: with a limit
	 * on its CPU time it would be killed before it has emptied the secrets. */
	add(ctx, SCMP_ACT_ERRNO(EPERM), "prlimit64", 2,
		(struct scmp_arg_cmp[]){
			SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, 1), SCMP_A2(SCMP_CMP_NE, 0)});

	/* The 32-bit socketcall has the family behind a pointer, where no filter can read it: it
	 * may do all but make a socket. An image of 32-bit programs must have it: their C library
	 * may know no other way. */
	if (!is_32bit)
		add(ctx, SCMP_ACT_ERRNO(ENOSYS), "socketcall", 1,
			(struct scmp_arg_cmp[]){
				SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, SYS_SOCKET)});
}

static scmp_filter_ctx new_filter(uint32_t default_action)
{
	scmp_filter_ctx ctx = seccomp_init(default_action);

	if (ctx == NULL)
		check(-ENOMEM, "new filter");
	/* A call by an architecture that was not added must not slip through as another number. */
	check(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
		"set architecture action");
	check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "set optimisation");
	add_architectures(ctx);
	return ctx;
}

static void write_array(scmp_filter_ctx ctx, const char *name, FILE *out)
{
	FILE *program = tmpfile();
	struct {
		uint16_t code;
		uint8_t jt;
		uint8_t jf;
		uint32_t k;
	} insn;

	if (program == NULL)
		check(-errno, "temporary file");
	check(seccomp_export_bpf(ctx, fileno(program)), "export");
	seccomp_release(ctx);
	rewind(program);
	(void)fprintf(out, "static const struct sock_filter %s[] = {\n", name);
	while (fread(&insn, sizeof(insn), 1, program) == 1)
		(void)fprintf(
			out, "\t{0x%x, %u, %u, 0x%x},\n", insn.code, insn.jt, insn.jf, insn.k);
	(void)fprintf(out, "};\n");
	(void)fclose(program);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: seccomp_gen OUTPUT.h\n");
		return 2;
	}

	FILE *out = fopen(argv[1], "we");

	if (out == NULL) {
		perror(argv[1]);
		return 1;
	}

	/* A number that is on no list is one that this program does not know: ENOSYS makes callers
	 * fall back. */
	scmp_filter_ctx policy = new_filter(SCMP_ACT_ERRNO(ENOSYS));
	scmp_filter_ctx exceptions = new_filter(SCMP_ACT_ALLOW);
	scmp_filter_ctx exceptions_32bit = new_filter(SCMP_ACT_ALLOW);

	add_policy(policy);
	add_exceptions(exceptions, false);
	add_exceptions(exceptions_32bit, true);
	(void)fprintf(out, "/* Made by seccomp_gen from seccomp_policy.h. */\n");
	write_array(policy, "policy_program", out);
	write_array(exceptions, "exceptions_program", out);
	write_array(exceptions_32bit, "exceptions_32bit_program", out);
	return fclose(out) == 0 ? 0 : 1;
}
