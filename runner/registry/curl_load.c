/* SPDX-License-Identifier: MIT */
#include "registry/curl_load.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "sys/mutex.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{"curl_global_init", offsetof(struct sb_curl, global_init)},
	{"curl_easy_init", offsetof(struct sb_curl, easy_init)},
	{"curl_easy_cleanup", offsetof(struct sb_curl, easy_cleanup)},
	{"curl_easy_setopt", offsetof(struct sb_curl, easy_setopt)},
	{"curl_easy_getinfo", offsetof(struct sb_curl, easy_getinfo)},
	{"curl_easy_perform", offsetof(struct sb_curl, easy_perform)},
	{"curl_easy_reset", offsetof(struct sb_curl, easy_reset)},
	{"curl_easy_strerror", offsetof(struct sb_curl, easy_strerror)},
	{"curl_slist_append", offsetof(struct sb_curl, slist_append)},
	{"curl_slist_free_all", offsetof(struct sb_curl, slist_free_all)},
	{"curl_url", offsetof(struct sb_curl, url)},
	{"curl_url_cleanup", offsetof(struct sb_curl, url_cleanup)},
	{"curl_url_set", offsetof(struct sb_curl, url_set)},
	{"curl_url_get", offsetof(struct sb_curl, url_get)},
	{"curl_free", offsetof(struct sb_curl, free)},
};

/* The second name is Debian's build with GnuTLS, where only that one is installed. */
static void *open_library(void)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

	for (size_t i = 0; i < N_OF(names); i++) {
		/* Never unloaded: its TLS library leaves handlers for the end of the process. */
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

		if (library != NULL)
			return library;
	}
	return NULL;
}

int sb_curl_load(struct sb_curl *out, struct sb_error *err)
{
	/* Before 7.84, curl_global_init is for one thread at a time. */
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&lock);
	struct sb_curl curl = {0};
	void *library = open_library();

	if (library == NULL) {
		sb_fail(err, SB_E_UNSUPPORTED,
			"registries and web servers are reached through libcurl, which is not "
			"installed");
		return sb_error_hint(err, "install libcurl: `apt install libcurl4`, `dnf install "
					  "libcurl` or `apk add libcurl`");
	}
	for (size_t i = 0; i < N_OF(symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (symbol == NULL) {
			sb_fail(err, SB_E_UNSUPPORTED, "the installed libcurl has no '%s'",
				symbols[i].name);
			return sb_error_hint(err, "install libcurl 7.62 or newer");
		}
		memcpy((char *)&curl + symbols[i].offset, &symbol, sizeof(symbol));
	}
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return sb_fail(err, SB_E_SYSTEM, "libcurl does not initialise");
	*out = curl;
	return 0;
}
