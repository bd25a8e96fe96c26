/* SPDX-License-Identifier: MIT */
#include "registry/certs.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/strv.h"
#include "sys/fd.h"
#include "sys/tree.h"

void sb_certs_release(struct sb_certs *certs)
{
	free(certs->ca_file);
	free(certs->cert_file);
	free(certs->key_file);
	sb_fd_closep(&certs->ca_fd);
	*certs = (struct sb_certs)SB_CERTS_INIT;
}

struct sb_http_tls sb_certs_tls(const struct sb_certs *certs)
{
	return (struct sb_http_tls){.ca_file = certs->ca_file,
		.cert_file = certs->cert_file,
		.key_file = certs->key_file};
}

static void add_folder(struct sb_strv *out, const char *variable, const char *below_home,
	const char *more, const char *host)
{
	const char *value = getenv(variable);
	const char *home = getenv("HOME");

	if (value != NULL && *value != '\0')
		sb_strv_addf(out, "%s%s/certs.d/%s", value, more, host);
	else if (home != NULL && *home != '\0')
		sb_strv_addf(out, "%s/%s%s/certs.d/%s", home, below_home, more, host);
}

static void list_folders(const char *host, struct sb_strv *out)
{
	add_folder(out, "XDG_CONFIG_HOME", ".config", "/containers", host);
	add_folder(out, "DOCKER_CONFIG", ".docker", "", host);
	sb_strv_addf(out, "/etc/containers/certs.d/%s", host);
	sb_strv_addf(out, "/etc/docker/certs.d/%s", host);
}

static bool ends_in(const char *name, const char *suffix)
{
	const size_t len = strlen(name);
	const size_t suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* Links lead wherever the user has his certificates. */
static int append(const char *folder, const char *name, struct sb_buf *to, struct sb_error *err)
{
	sb_autofree char *path = sb_asprintf("%s/%s", folder, name);
	sb_autofd int fd = -1;

	if (sb_fd_open_user(path, "certificate", &fd, err) < 0 || sb_fd_read_all(fd, to, err) < 0)
		return -1;
	return sb_buf_add_char(to, '\n', err);
}

/* libcurl takes one file of authorities in place of its own. */
static int append_system(struct sb_buf *to, struct sb_error *err)
{
	const char *const files[] = {getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		SB_AUTO_ERROR missing = SB_ERROR_INIT;
		sb_autofd int fd = -1;

		if (files[i] == NULL || access(files[i], R_OK) < 0)
			continue;
		if (sb_fd_open_user(files[i], "certificates", &fd, &missing) == 0)
			return sb_fd_read_all(fd, to, err);
		sb_error_ignore(&missing, "another system has them elsewhere");
	}
	return 0;
}

static int set_authorities(const struct sb_strv *names, const char *folder, struct sb_certs *certs,
	struct sb_error *err)
{
	SB_AUTO_BUF all = SB_BUF_INIT(SB_MAX_CERTIFICATES);
	size_t n = 0;

	for (size_t i = 0; i < names->len; i++) {
		if (!ends_in(names->items[i], ".crt"))
			continue;
		if (append(folder, names->items[i], &all, err) < 0)
			return -1;
		n++;
	}
	if (n == 0)
		return 0;
	if (strstr(all.data, "-----BEGIN ") == NULL)
		return sb_fail(err, SB_E_INTEGRITY, "the .crt files of '%s' hold no PEM", folder);
	if (append_system(&all, err) < 0 || sb_fd_memory("certificates", &certs->ca_fd, err) < 0 ||
		sb_fd_write_all(certs->ca_fd, all.data, all.len, err) < 0)
		return -1;
	certs->ca_file = sb_asprintf("/proc/self/fd/%d", certs->ca_fd);
	return 0;
}

static int set_own(const struct sb_strv *names, const char *folder, struct sb_certs *certs,
	struct sb_error *err)
{
	for (size_t i = 0; i < names->len; i++) {
		const char *name = names->items[i];

		if (!ends_in(name, ".cert"))
			continue;

		sb_autofree char *key =
			sb_asprintf("%.*s.key", (int)(strlen(name) - strlen(".cert")), name);

		if (!sb_strv_contains(names, key))
			return sb_fail(err, SB_E_USAGE, "'%s/%s' has no '%s' beside it", folder,
				name, key);
		certs->cert_file = sb_asprintf("%s/%s", folder, name);
		certs->key_file = sb_asprintf("%s/%s", folder, key);
		return 0;
	}
	return 0;
}

static int load_from(const char *folder, int dir_fd, struct sb_certs *out, struct sb_error *err)
{
	SB_AUTO_STRV names = SB_STRV_INIT;

	if (sb_tree_list(dir_fd, &names, err) < 0)
		return -1;
	sb_strv_sort(&names);
	if (set_authorities(&names, folder, out, err) < 0 || set_own(&names, folder, out, err) < 0)
		return -1;
	out->is_found = out->ca_file != NULL || out->cert_file != NULL;
	return 0;
}

int sb_certs_load(const char *host_and_port, struct sb_certs *out, struct sb_error *err)
{
	SB_AUTO_STRV folders = SB_STRV_INIT;

	list_folders(host_and_port, &folders);
	for (size_t i = 0; i < folders.len; i++) {
		SB_AUTO_VALUE(sb_certs) certs = SB_CERTS_INIT;
		sb_autofd int dir_fd = -1;

		if (access(folders.items[i], F_OK) < 0)
			continue;
		if (sb_fd_open_dir_user(folders.items[i], "folder of certificates", &dir_fd, err) <
				0 ||
			load_from(folders.items[i], dir_fd, &certs, err) < 0)
			return sb_error_context(err, "certificates of '%s'", host_and_port);
		*out = certs;
		certs = (struct sb_certs)SB_CERTS_INIT;
		return 0;
	}
	return 0;
}
