/* SPDX-License-Identifier: MIT */
#include "oci/reference.h"

#include <string.h>

#include "base/mem.h"

/* Limits of distribution/reference: a tag has at most 128 characters, a repository 255. */
enum { MAX_TAG = 128, MAX_REPOSITORY = 255, MAX_REFERENCE = 2048 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char default_registry[] = "docker.io";
static const char official[] = "library/";

void sb_reference_release(struct sb_reference *ref)
{
	free(ref->registry);
	free(ref->repository);
	free(ref->tag);
	*ref = (struct sb_reference){0};
}

/* "comp.comp.comp", each of letters, digits and inner '-'. */
static bool is_host_name(const char *host, size_t len)
{
	size_t part = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && host[i] != '.')
			continue;
		if (i == part || host[part] == '-' || host[i - 1] == '-')
			return false;
		if (strspn(host + part, LOWER UPPER DIGITS "-") < i - part)
			return false;
		part = i + 1;
	}
	return true;
}

/* host[:port] or [ipv6][:port] */
static bool is_registry(const char *text)
{
	size_t host_len = 0;

	if (text[0] == '[') {
		host_len = strspn(text + 1, DIGITS "abcdefABCDEF:");
		if (host_len == 0 || text[1 + host_len] != ']')
			return false;
		host_len += 2;
	} else {
		host_len = strcspn(text, ":");
		if (!is_host_name(text, host_len))
			return false;
	}
	if (text[host_len] == '\0')
		return true;

	const char *port = text + host_len + 1;

	return text[host_len] == ':' && *port != '\0' && port[strspn(port, DIGITS)] == '\0';
}

/* One separator inside a path component: '.', '_', "__" or any number of '-'. 0 where there is
 * none. */
static size_t separator_len(const char *p)
{
	if (*p == '-')
		return strspn(p, "-");
	if (p[0] == '_' && p[1] == '_')
		return 2;
	return *p == '.' || *p == '_' ? 1 : 0;
}

static bool is_repository(const char *text)
{
	for (const char *p = text;;) {
		const size_t letters = strspn(p, LOWER DIGITS);

		if (letters == 0)
			return false;
		p += letters;
		if (*p == '\0')
			return true;
		if (*p == '/') {
			p++;
			continue;
		}

		const size_t separator = separator_len(p);

		if (separator == 0)
			return false;
		p += separator;
	}
}

static bool is_tag(const char *text)
{
	const size_t len = strspn(text, LOWER UPPER DIGITS "_.-");

	return len > 0 && len <= MAX_TAG && text[len] == '\0' && *text != '.' && *text != '-';
}

static bool is_image_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, DIGITS "abcdef") == 64;
}

/* Is what stands before the first '/' a registry, and not the first part of a repository? Docker's
 * rule: a dot, a port, "localhost", or a letter that no repository may have. */
static bool names_registry(const char *first, size_t len)
{
	return memchr(first, '.', len) != NULL || memchr(first, ':', len) != NULL ||
	       (len == 9 && memcmp(first, "localhost", 9) == 0) || strcspn(first, UPPER) < len ||
	       *first == '[';
}

static int take_digest(char *name, const char *text, struct sb_digest *digest, struct sb_error *err)
{
	SB_AUTO_ERROR cause = SB_ERROR_INIT;
	char *at = strchr(name, '@');

	if (at == NULL)
		return 0;
	if (sb_digest_parse(at + 1, digest, &cause) < 0) {
		if (cause.code == SB_E_UNSUPPORTED)
			return sb_fail(
				err, SB_E_UNSUPPORTED, "image '%s': %s", text, cause.message);
		return sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: after '@' comes sha256: and 64 hex digits",
			text);
	}
	*at = '\0';
	return 0;
}

static int take_tag(char *name, const char *text, bool has_digest, char **out, struct sb_error *err)
{
	char *last = strrchr(name, '/');
	char *colon = strchr(last != NULL ? last : name, ':');

	if (colon == NULL) {
		*out = has_digest ? NULL : sb_strdup("latest");
		return 0;
	}
	if (!is_tag(colon + 1))
		return sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: a tag has 1 to %d letters, digits, '_', "
			"'.' and '-', and starts with none of the last two",
			text, MAX_TAG);
	*out = sb_strdup(colon + 1);
	*colon = '\0';
	return 0;
}

static int split_registry(
	const char *name, const char *text, struct sb_reference *ref, struct sb_error *err)
{
	const size_t first = strcspn(name, "/");
	const bool has_registry = name[first] == '/' && names_registry(name, first);
	const char *path = has_registry ? name + first + 1 : name;

	ref->registry = has_registry ? sb_memdup0(name, first) : sb_strdup(default_registry);
	if (!is_registry(ref->registry))
		return sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: '%s' is not a registry's host", text,
			ref->registry);
	if (strcmp(ref->registry, "index.docker.io") == 0) {
		free(ref->registry);
		ref->registry = sb_strdup(default_registry);
	}
	if (strcmp(ref->registry, default_registry) == 0 && strchr(path, '/') == NULL)
		ref->repository = sb_asprintf("%s%s", official, path);
	else
		ref->repository = sb_strdup(path);
	return 0;
}

static int check_repository(const char *text, const char *repository, struct sb_error *err)
{
	if (strpbrk(repository, UPPER) != NULL) {
		sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: a repository name must be lower case",
			text);
		sb_autofree char *lowered = sb_strdup(text);

		for (char *p = lowered; *p != '\0' && *p != ':' && *p != '@'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		return sb_error_hint(err, "write '%s'", lowered);
	}
	if (!is_repository(repository))
		return sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: a repository name has lower-case letters "
			"and digits, with single '.', '_', '/' or '-' between them",
			text);
	if (strlen(repository) > MAX_REPOSITORY)
		return sb_fail(err, SB_E_SYNTAX,
			"'%.60s…' is not an image reference: its repository name has more than %d "
			"characters",
			text, MAX_REPOSITORY);
	return 0;
}

int sb_reference_parse(const char *text, struct sb_reference *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	sb_autofree char *name = NULL;

	if (*text == '\0')
		return sb_fail(err, SB_E_SYNTAX, "an image reference is empty");
	if (strlen(text) > MAX_REFERENCE)
		return sb_fail(err, SB_E_SYNTAX,
			"'%.60s…' is not an image reference: it has more than %d characters", text,
			MAX_REFERENCE);
	if (is_image_id(text))
		return sb_fail(err, SB_E_SYNTAX,
			"'%s' is not an image reference: 64 hex digits are an image id", text);
	name = sb_strdup(text);
	if (take_digest(name, text, &ref.digest, err) < 0)
		return -1;
	if (take_tag(name, text, sb_digest_is_set(&ref.digest), &ref.tag, err) < 0)
		return -1;
	if (split_registry(name, text, &ref, err) < 0 ||
		check_repository(text, ref.repository, err) < 0)
		return -1;
	*out = ref;
	ref = (struct sb_reference){0};
	return 0;
}

static char *with_tag_and_digest(const struct sb_reference *ref, const char *name)
{
	const bool has_digest = sb_digest_is_set(&ref->digest);

	return sb_asprintf("%s%s%s%s%s", name, ref->tag != NULL ? ":" : "",
		ref->tag != NULL ? ref->tag : "", has_digest ? "@" : "",
		has_digest ? ref->digest.text : "");
}

char *sb_reference_format(const struct sb_reference *ref)
{
	sb_autofree char *name = sb_asprintf("%s/%s", ref->registry, ref->repository);

	return with_tag_and_digest(ref, name);
}

char *sb_reference_familiar(const struct sb_reference *ref)
{
	const size_t official_len = sizeof(official) - 1;
	const char *path = ref->repository;
	const size_t first = strcspn(path, "/");

	/* Nothing is left out that reading the short form would not put back. */
	if (strcmp(ref->registry, default_registry) != 0 ||
		(path[first] == '/' && names_registry(path, first)))
		return sb_reference_format(ref);
	if (strncmp(path, official, official_len) == 0 &&
		strchr(path + official_len, '/') == NULL && !is_image_id(path + official_len))
		path += official_len;
	return with_tag_and_digest(ref, path);
}
