/* SPDX-License-Identifier: MIT */
#include "oci/platform.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "base/mem.h"

/* Names of kernels, distributions and compilers for what Go calls by another name. The variant is
 * set where the name implies one. */
static const struct {
	const char *alias;
	const char *architecture;
	const char *variant;
} aliases[] = {
	{"x86_64", "amd64", ""},
	{"x86-64", "amd64", ""},
	{"aarch64", "arm64", ""},
	{"armhf", "arm", "v7"},
	{"armel", "arm", "v6"},
	{"armv8l", "arm", "v7"},
	{"armv7l", "arm", "v7"},
	{"armv6l", "arm", "v6"},
	{"armv5tel", "arm", "v5"},
	{"i386", "386", ""},
	{"i486", "386", ""},
	{"i586", "386", ""},
	{"i686", "386", ""},
	{"ppc64el", "ppc64le", ""},
	{"loongarch64", "loong64", ""},
	{"mipsel", "mipsle", ""},
	{"mips64el", "mips64le", ""},
};

static const char *const systems[] = {"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd",
	"dragonfly", "solaris", "illumos", "aix", "android", "plan9", "wasip1"};

static bool is_system(const char *name)
{
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (strcmp(systems[i], name) == 0)
			return true;
	return false;
}

static void set(char out[32], const char *text)
{
	(void)snprintf(out, 32, "%s", text);
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static void normalise(struct sb_platform *p)
{
	lower(p->os);
	lower(p->architecture);
	lower(p->variant);
	if (strcmp(p->os, "macos") == 0)
		set(p->os, "darwin");
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(aliases[i].alias, p->architecture) != 0)
			continue;
		set(p->architecture, aliases[i].architecture);
		if (p->variant[0] == '\0')
			set(p->variant, aliases[i].variant);
	}
	/* "7" is "v7"; and each architecture has a variant that goes without saying. */
	if (p->variant[0] >= '0' && p->variant[0] <= '9') {
		char number[32];

		set(number, p->variant);
		(void)snprintf(p->variant, sizeof(p->variant), "v%.30s", number);
	}
	if (strcmp(p->architecture, "arm") == 0 && p->variant[0] == '\0')
		set(p->variant, "v7");
	if (strcmp(p->architecture, "arm64") == 0 && strcmp(p->variant, "v8") == 0)
		p->variant[0] = '\0';
	if (strcmp(p->architecture, "amd64") == 0 && strcmp(p->variant, "v1") == 0)
		p->variant[0] = '\0';
}

struct sb_platform sb_platform_host(void)
{
	struct sb_platform host = {.os = "linux"};
	struct utsname name = {0};

	if (uname(&name) == 0)
		(void)snprintf(host.architecture, sizeof(host.architecture), "%.31s", name.machine);
	normalise(&host);
	return host;
}

static bool is_part(const char *part, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return len > 0 && len < 32 && strspn(part, allowed) >= len;
}

static int fail_form(const char *text, struct sb_error *err)
{
	sb_fail(err, SB_E_USAGE, "'%s' is not a platform", text);
	return sb_error_hint(err, "write os/architecture[/variant], for instance linux/amd64");
}

int sb_platform_parse(const char *text, struct sb_platform *out, struct sb_error *err)
{
	char parts[3][32] = {{0}};
	size_t n = 0;

	if (strcmp(text, "local") == 0) {
		*out = sb_platform_host();
		return 0;
	}
	for (const char *p = text;; p++) {
		const size_t len = strcspn(p, "/");

		if (n == 3 || !is_part(p, len))
			return fail_form(text, err);
		memcpy(parts[n++], p, len);
		p += len;
		if (*p == '\0')
			break;
	}

	struct sb_platform platform = {.os = "linux"};

	if (n > 1) {
		set(platform.os, parts[0]);
		set(platform.architecture, parts[1]);
		set(platform.variant, parts[2]);
	} else if (lower(parts[0]), is_system(parts[0]) || strcmp(parts[0], "macos") == 0) {
		platform = sb_platform_host();
		set(platform.os, parts[0]);
	} else {
		set(platform.architecture, parts[0]);
	}
	normalise(&platform);
	*out = platform;
	return 0;
}

char *sb_platform_format(const struct sb_platform *platform)
{
	return sb_asprintf("%s/%s%s%s", platform->os, platform->architecture,
		platform->variant[0] != '\0' ? "/" : "", platform->variant);
}

bool sb_platform_is_same(const struct sb_platform *a, const struct sb_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
	       strcmp(a->variant, b->variant) == 0;
}

/* The N of "vN", with the architecture's unsaid variant for none; 0 where it is not of that form.
 */
static int level(const struct sb_platform *p)
{
	if (p->variant[0] == '\0')
		return strcmp(p->architecture, "arm64") == 0 ? 8 : 1;
	if (p->variant[0] != 'v' || p->variant[1] < '1' || p->variant[1] > '9' ||
		(p->variant[2] != '\0' && p->variant[2] != '.'))
		return 0;
	return p->variant[1] - '0';
}

int sb_platform_match(const struct sb_platform *want, const struct sb_platform *have)
{
	enum { EXACT = 100, WITHOUT_VARIANT = 1 };
	struct sb_platform a = *want;
	struct sb_platform b = *have;

	normalise(&a);
	normalise(&b);
	if (a.os[0] == '\0' || strcmp(a.os, b.os) != 0 ||
		strcmp(a.architecture, b.architecture) != 0)
		return 0;
	if (strcmp(a.variant, b.variant) == 0)
		return EXACT;
	if (strcmp(a.architecture, "arm") == 0 || strcmp(a.architecture, "arm64") == 0 ||
		strcmp(a.architecture, "amd64") == 0) {
		const int wanted = level(&a);
		const int had = level(&b);

		/* A processor runs what was made for lower levels of its own architecture. */
		return wanted != 0 && had != 0 && had <= wanted ? EXACT - (wanted - had) : 0;
	}
	return a.variant[0] == '\0' || b.variant[0] == '\0' ? WITHOUT_VARIANT : 0;
}
