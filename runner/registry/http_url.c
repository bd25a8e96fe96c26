/* SPDX-License-Identifier: MIT */
#include "registry/http_url.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "registry/url.h"

void sb_origin_release(struct sb_origin *origin)
{
	free(origin->host);
	free(origin->port);
	*origin = (struct sb_origin){0};
}

/* A copy, or NULL where the URL has no such part. */
static char *part_of(const struct sb_curl *curl, CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;

	if (curl->url_get(url, part, &text, flags) != CURLUE_OK || text == NULL)
		return NULL;

	char *copy = sb_strdup(text);

	curl->free(text);
	return copy;
}

static int read_origin(const struct sb_curl *curl, CURLU *url, bool may_be_plain,
	struct sb_origin *out, struct sb_error *err)
{
	sb_autofree char *scheme = part_of(curl, url, CURLUPART_SCHEME, 0);
	sb_autofree char *user = part_of(curl, url, CURLUPART_USER, 0);
	sb_autofree char *password = part_of(curl, url, CURLUPART_PASSWORD, 0);
	sb_autofree char *host = part_of(curl, url, CURLUPART_HOST, 0);
	sb_autofree char *port = part_of(curl, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);

	const bool is_https = scheme != NULL && strcmp(scheme, "https") == 0;

	if (!is_https && (scheme == NULL || strcmp(scheme, "http") != 0))
		return sb_fail(err, SB_E_NETWORK, "an address with the scheme '%s'",
			scheme != NULL ? scheme : "");
	if (host == NULL || *host == '\0')
		return sb_fail(err, SB_E_NETWORK, "an address without a host");
	if (user != NULL || password != NULL)
		return sb_fail(
			err, SB_E_NETWORK, "an address on '%s' with a user name in it", host);
	if (!is_https && !may_be_plain && !sb_host_is_loopback(host))
		return sb_fail(err, SB_E_NETWORK,
			"an address on '%s' with plain http, which is used on this machine only",
			host);
	for (char *c = host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);

	const bool is_loopback = sb_host_is_loopback(host);

	*out = (struct sb_origin){
		.host = SB_STEAL(host),
		.port = port != NULL ? SB_STEAL(port) : sb_strdup(""),
		.is_https = is_https,
		.is_loopback = is_loopback,
	};
	return 0;
}

int sb_origin_of(const struct sb_curl *curl, const char *url, bool may_be_plain,
	struct sb_origin *out, struct sb_error *err)
{
	CURLU *parsed = curl->url();

	SB_BUG_ON(parsed == NULL);

	const CURLUcode code = curl->url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	const int result = code == CURLUE_OK ? read_origin(curl, parsed, may_be_plain, out, err)
					     : sb_fail(err, SB_E_NETWORK,
						       "an address that does not parse as a URL");

	curl->url_cleanup(parsed);
	return result;
}

char *sb_url_resolve(const struct sb_curl *curl, const char *base, const char *address)
{
	CURLU *parsed = curl->url();
	char *out = NULL;

	SB_BUG_ON(parsed == NULL);
	if (curl->url_set(parsed, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		curl->url_set(parsed, CURLUPART_URL, address, CURLU_NON_SUPPORT_SCHEME) ==
			CURLUE_OK)
		out = part_of(curl, parsed, CURLUPART_URL, 0);
	curl->url_cleanup(parsed);
	return out;
}

bool sb_origin_equal(const struct sb_origin *a, const struct sb_origin *b)
{
	return a->is_https == b->is_https && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}
