/* SPDX-License-Identifier: MIT */
#include "lint/secret_name.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "buildfile/chars.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Is one of the words, as a whole between separators, in the name? */
static bool has_word(const char *name, const char *separators, const char *const *words, size_t n)
{
	while (*name != '\0') {
		const size_t len = strcspn(name, separators);

		for (size_t i = 0; i < n; i++)
			if (len == strlen(words[i]) && strncasecmp(name, words[i], len) == 0)
				return true;
		name += len;
		name += strspn(name, separators);
	}
	return false;
}

bool sb_secret_name_of_variable(const char *name)
{
	static const char *const words[] = {"apikey", "auth", "credential", "credentials", "key",
		"password", "pword", "passwd", "secret", "token"};
	static const char *const harmless[] = {"public", "file", "version"};

	return has_word(name, "_", words, N_OF(words)) &&
	       !has_word(name, "_", harmless, N_OF(harmless));
}

bool sb_public_name_of_variable(const char *name)
{
	static const char *const words[] = {"public", "pub", "pubkey", "fingerprint", "hash", "sum",
		"checksum", "digest", "sha", "sha1", "sha256", "sha384", "sha512", "md5",
		"integrity", "sri", "commit", "revision", "rev", "ref", "sig", "signature",
		"version", "tag", "gpg", "id", "uuid", "url", "uri", "path", "image", "name"};

	return has_word(name, "_-.", words, N_OF(words));
}

static bool matches(const char *name, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* Extensions of files that hold values; code and pages about secrets hold none. */
static bool is_data(const char *base)
{
	static const char *const extensions[] = {".txt", ".json", ".yml", ".yaml", ".env", ".toml",
		".ini", ".conf", ".cfg", ".properties", ".xml", ".key", ".b64", ".csv", ".asc",
		".enc", ".dat", ".bin"};
	const char *extension = strrchr(base, '.');

	if (extension == NULL || extension == base)
		return true;
	for (size_t i = 0; i < N_OF(extensions); i++)
		if (strcasecmp(extension, extensions[i]) == 0)
			return true;
	return false;
}

bool sb_secret_name_of_file(const char *path)
{
	static const char *const names[] = {".env", ".env.*", "*.env", "id_rsa", "id_dsa",
		"id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore",
		"*.kdbx", "*.ppk", ".npmrc", ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf",
		".git-credentials", ".dockercfg", ".htpasswd", ".vault-token", ".yarnrc.yml",
		"kubeconfig", "shadow", "service-account*.json", "service_account*.json",
		"*-credentials.json"};
	static const char *const harmless[] = {"*.example", "*.sample", "*.template", "*.tmpl",
		"*.dist", "*.defaults", "*example*", "*sample*", "*.pub", "*public*", "*pub.pem",
		"*pub.key", "*cert.pem", "cert*.pem", "*chain*.pem", "*bundle*.pem", "*cacert*.pem",
		"ca.pem", "ca-*.pem", "*-ca.pem", "*root*.pem", "dhparam*.pem", "*gpg*",
		"*archive*", "*apt*.key", "*release*.key", "*signing*.key", "*keyring*",
		"*repo*.key"};
	static const char *const paths[] = {"*/.docker/config.json", ".docker/config.json",
		"*/.aws/credentials", "*/.kube/config", ".kube/config", "*/.cargo/credentials*"};
	static const char *const words[] = {"secret", "secrets", "secure", "password", "passwords",
		"credential", "credentials", "token", "tokens", "apikey"};
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;

	if (base[0] == '\0' || matches(base, harmless, N_OF(harmless)))
		return false;
	return matches(base, names, N_OF(names)) || matches(path, paths, N_OF(paths)) ||
	       (is_data(base) && has_word(base, "_-.", words, N_OF(words)));
}
