/* SPDX-License-Identifier: MIT */
#include "buildfile/ports.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/size.h"

struct port_range {
	unsigned first;
	unsigned last;
};

static const char *const protocols[] = {"tcp", "udp", "sctp"};

/* "80" or "80-90". */
static bool parse_range(const char *text, struct port_range *out)
{
	const char *dash = strchr(text, '-');
	sb_autofree char *first =
		sb_memdup0(text, dash != NULL ? (size_t)(dash - text) : strlen(text));
	uint64_t from;
	uint64_t to;

	if (!sb_number_parse(first, 10, 65535, &from))
		return false;
	to = from;
	if (dash != NULL && (!sb_number_parse(dash + 1, 10, 65535, &to) || to < from))
		return false;
	*out = (struct port_range){(unsigned)from, (unsigned)to};
	return true;
}

static bool is_address(const char *text)
{
	struct in6_addr address;
	size_t len = strlen(text);

	if (len == 0 || inet_pton(AF_INET, text, &address) == 1)
		return true;
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		sb_autofree char *inner = sb_memdup0(text + 1, len - 2);

		return inet_pton(AF_INET6, inner, &address) == 1;
	}
	return inet_pton(AF_INET6, text, &address) == 1;
}

static const char *find_protocol(const char *text)
{
	/* "80/" and "80" are tcp. */
	if (text == NULL || text[0] == '\0')
		return protocols[0];
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcasecmp(protocols[i], text) == 0)
			return protocols[i];
	return NULL;
}

/* Cuts "rest:part" at its last colon: gives the part and leaves the rest, or NULL where there is no
 * colon. */
static char *cut_last(char **text)
{
	char *colon = strrchr(*text, ':');
	char *part = *text;

	if (colon == NULL) {
		*text = NULL;
		return part;
	}
	*colon = '\0';
	return colon + 1;
}

static int check_host(
	const char *word, char *host, char *ip, struct port_range container, struct sb_error *err)
{
	struct port_range range;

	if (ip != NULL && !is_address(ip))
		return sb_fail(
			err, SB_E_SYNTAX, "invalid port '%s': invalid address '%s'", word, ip);
	if (host == NULL || host[0] == '\0')
		return 0;
	if (!parse_range(host, &range))
		return sb_fail(
			err, SB_E_SYNTAX, "invalid port '%s': invalid host port '%s'", word, host);
	if (range.last - range.first != container.last - container.first &&
		container.first != container.last)
		return sb_fail(err, SB_E_SYNTAX,
			"invalid port '%s': the host's and the container's ranges differ in length",
			word);
	return 0;
}

int sb_ports_expand(const char *word, struct sb_strv *out, struct sb_error *err)
{
	sb_autofree char *copy = sb_strdup(word);
	char *slash = strchr(copy, '/');

	if (slash != NULL)
		*slash = '\0';

	const char *protocol = find_protocol(slash != NULL ? slash + 1 : NULL);
	char *rest = copy;
	char *container = cut_last(&rest);
	char *host = rest != NULL ? cut_last(&rest) : NULL;
	struct port_range range;

	if (container[0] == '\0')
		return sb_fail(err, SB_E_SYNTAX, "invalid port '%s': there is no port", word);
	if (protocol == NULL) {
		sb_fail(err, SB_E_SYNTAX, "invalid port '%s': invalid protocol '%s'", word,
			slash + 1);
		return sb_error_hint(err, "the protocols are tcp, udp and sctp");
	}
	if (!parse_range(container, &range)) {
		sb_fail(err, SB_E_SYNTAX, "invalid port '%s'", word);
		return sb_error_hint(err, "a port is a number up to 65535, or a range of them");
	}
	if (check_host(word, host, rest, range, err) < 0)
		return -1;
	for (unsigned port = range.first; port <= range.last; port++)
		sb_strv_addf(out, "%u/%s", port, protocol);
	return 0;
}
