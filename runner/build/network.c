/* SPDX-License-Identifier: MIT */
#include "build/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/network.h"
#include "sys/fd.h"

int sb_network_parse(const char *text, enum sb_step_network *out, struct sb_error *err)
{
	const char *fix = NULL;

	if (strcmp(text, "none") == 0)
		*out = SB_STEP_NET_NONE;
	else if (strcmp(text, "host") == 0)
		*out = SB_STEP_NET_HOST;
	else if (strcmp(text, "default") == 0)
		*out = sb_network_lacks(&fix) == NULL ? SB_STEP_NET_USER : SB_STEP_NET_HOST;
	else
		return sb_fail(
			err, SB_E_USAGE, "invalid network mode '%s' (default, none or host)", text);
	return 0;
}

char *sb_network_hosts(const char *hostname, const struct sb_strv *add_hosts)
{
	SB_AUTO_STRV lines = SB_STRV_INIT;

	sb_strv_addf(&lines, "127.0.0.1\tlocalhost %s\n", hostname);
	sb_strv_add(&lines, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	for (size_t i = 0; i < add_hosts->len; i++)
		sb_strv_addf(&lines, "%s\n", add_hosts->items[i]);
	return sb_strv_join(&lines, "");
}

char *sb_network_resolv_conf(enum sb_step_network network)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(64 << 10);
	sb_autofd int fd = -1;

	if (network == SB_STEP_NET_NONE)
		return sb_strdup("");
	if (network == SB_STEP_NET_USER)
		return sb_strdup("nameserver " SB_NETWORK_DNS "\n");
	/* The host's network reaches the host's resolver, also one that listens on loopback. */
	if (sb_fd_open_user("/etc/resolv.conf", "file", &fd, &err) < 0 ||
		sb_fd_read_all(fd, &text, &err) < 0)
		sb_error_ignore(&err, "a host without one has no names to resolve");
	return sb_strdup(text.data);
}

int sb_network_parse_host(const char *text, struct sb_strv *out, struct sb_error *err)
{
	const size_t name = strcspn(text, ":=");
	unsigned char address[sizeof(struct in6_addr)];

	if (name == 0 || text[name] == '\0')
		return sb_fail(err, SB_E_USAGE, "--add-host '%s' is not NAME:IP", text);

	const char *given = text + name + 1;
	const size_t len = strlen(given);
	sb_autofree char *ip = given[0] == '[' && given[len - 1] == ']'
				       ? sb_memdup0(given + 1, len - 2)
				       : sb_strdup(given);

	if (inet_pton(AF_INET, ip, address) != 1 && inet_pton(AF_INET6, ip, address) != 1)
		return sb_fail(
			err, SB_E_USAGE, "--add-host '%s': '%s' is not an IP address", text, ip);
	sb_strv_addf(out, "%s\t%.*s", ip, (int)name, text);
	return 0;
}
