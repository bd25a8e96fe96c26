/* SPDX-License-Identifier: MIT */
#include "leak/hyperscan.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{"hs_compile_lit_multi", offsetof(struct sb_hyperscan, compile_lit_multi)},
	{"hs_free_compile_error", offsetof(struct sb_hyperscan, free_compile_error)},
	{"hs_free_database", offsetof(struct sb_hyperscan, free_database)},
	{"hs_alloc_scratch", offsetof(struct sb_hyperscan, alloc_scratch)},
	{"hs_free_scratch", offsetof(struct sb_hyperscan, free_scratch)},
	{"hs_scan", offsetof(struct sb_hyperscan, scan)},
};

static int refuse(struct sb_error *err, const char *why)
{
	sb_fail(err, SB_E_UNSUPPORTED,
		"secrets are searched for by their patterns with Hyperscan, %s", why);
	return sb_error_hint(err,
		"install it: `apt install libhyperscan5`, `dnf install vectorscan` "
		"or `apk add vectorscan`");
}

int sb_hyperscan_load(struct sb_hyperscan *out, struct sb_error *err)
{
	struct sb_hyperscan loaded = {0};
	void *library = dlopen("libhs.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (library == NULL)
		return refuse(err, "which is not installed");
	for (size_t i = 0; i < N_OF(symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (symbol == NULL)
			return refuse(err, "and what is installed is older than 5.2");
		memcpy((char *)&loaded + symbols[i].offset, &symbol, sizeof(symbol));
	}

	hs_error_t (*valid_platform)(void) = NULL;
	void *symbol = dlsym(library, "hs_valid_platform");

	memcpy(&valid_platform, &symbol, sizeof(symbol));
	if (valid_platform != NULL && valid_platform() != HS_SUCCESS)
		return refuse(err, "which does not run on this processor");
	*out = loaded;
	return 0;
}
