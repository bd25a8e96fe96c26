/* SPDX-License-Identifier: MIT */
#include "registry/registries.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

void sb_endpoints_release(struct sb_endpoints *list)
{
	SB_ARRAY_FOREACH (list, endpoint)
		sb_reference_release(&endpoint->ref);
	SB_ARRAY_RELEASE(list);
}

void sb_references_release(struct sb_references *list)
{
	SB_ARRAY_FOREACH (list, ref)
		sb_reference_release(ref);
	SB_ARRAY_RELEASE(list);
}

void sb_registries_release(struct sb_registries *registries)
{
	json_decref(registries->entries);
	sb_strv_release(&registries->search);
	sb_strv_release(&registries->aliases);
	*registries = (struct sb_registries){0};
}

static const char *text_of(const json_t *table, const char *name)
{
	const char *text = json_string_value(json_object_get(table, name));

	return text != NULL && *text != '\0' ? text : NULL;
}

static bool is_set(const json_t *table, const char *name)
{
	return json_is_true(json_object_get(table, name));
}

static const char *prefix_of(const json_t *entry)
{
	const char *prefix = text_of(entry, "prefix");

	return prefix != NULL ? prefix : text_of(entry, "location");
}

/* How much of "HOST/REPOSITORY…" a prefix is; 0: it is for others. */
static size_t match_len(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(prefix, "*.", 2) == 0) {
		const size_t host_len = strcspn(name, "/:");

		len--;
		return host_len > len && strncasecmp(name + host_len - len, prefix + 1, len) == 0
			       ? host_len
			       : 0;
	}
	if (strncasecmp(name, prefix, len) != 0)
		return 0;
	return name[len] == '\0' || strchr("/:@", name[len]) != NULL ? len : 0;
}

static const json_t *find_entry(
	const struct sb_registries *registries, const char *name, size_t *out_len)
{
	const json_t *best = NULL;

	*out_len = 0;
	for (size_t i = 0; i < json_array_size(registries->entries); i++) {
		const json_t *entry = json_array_get(registries->entries, i);
		const size_t len = match_len(name, prefix_of(entry));

		if (len > *out_len) {
			best = entry;
			*out_len = len;
		}
	}
	return best;
}

/* `location` in place of the part that matched; NULL leaves the name as it is. */
static int rewrite(const struct sb_reference *ref, const char *name, size_t len,
	const char *location, struct sb_reference *out, struct sb_error *err)
{
	sb_autofree char *whole =
		location != NULL ? sb_asprintf("%s%s", location, name + len) : sb_strdup(name);
	char *slash = strchr(whole, '/');

	if (slash == NULL || slash == whole || slash[1] == '\0')
		return sb_fail(err, SB_E_USAGE,
			"registries.conf makes '%s' of '%s', which is no registry and repository",
			whole, name);
	*out = (struct sb_reference){.registry = sb_memdup0(whole, (size_t)(slash - whole)),
		.repository = sb_strdup(slash + 1),
		.tag = sb_strdup_or_null(ref->tag),
		.digest = ref->digest};
	return 0;
}

static bool serves(const json_t *mirror, const json_t *entry, const struct sb_reference *ref)
{
	const char *what = text_of(mirror, "pull-from-mirror");
	const bool by_digest = sb_digest_is_set(&ref->digest);

	if (is_set(entry, "mirror-by-digest-only") ||
		(what != NULL && strcmp(what, "digest-only") == 0))
		return by_digest;
	return what == NULL || strcmp(what, "tag-only") != 0 || !by_digest;
}

static int add_endpoint(const struct sb_reference *ref, const char *name, size_t len,
	const json_t *table, bool is_mirror, struct sb_endpoints *out, struct sb_error *err)
{
	struct sb_reference target = {0};

	if (rewrite(ref, name, len, table != NULL ? text_of(table, "location") : NULL, &target,
		    err) < 0)
		return -1;
	*SB_ARRAY_ADD(out) = (struct sb_endpoint){.ref = target,
		.is_mirror = is_mirror,
		.is_insecure = is_set(table, "insecure"),
		.is_secure = json_is_false(json_object_get(table, "insecure"))};
	return 0;
}

int sb_registries_endpoints(const struct sb_registries *registries, const struct sb_reference *ref,
	bool for_push, struct sb_endpoints *out, struct sb_error *err)
{
	sb_autofree char *name = sb_asprintf("%s/%s", ref->registry, ref->repository);
	size_t len = 0;
	const json_t *entry = find_entry(registries, name, &len);
	const json_t *mirrors = json_object_get(entry, "mirror");

	if (is_set(entry, "blocked"))
		return sb_fail(err, SB_E_DENIED, "registries.conf blocks '%s'", prefix_of(entry));
	for (size_t i = 0; !for_push && i < json_array_size(mirrors); i++) {
		const json_t *mirror = json_array_get(mirrors, i);

		if (text_of(mirror, "location") != NULL && serves(mirror, entry, ref) &&
			add_endpoint(ref, name, len, mirror, true, out, err) < 0)
			return -1;
	}
	return add_endpoint(ref, name, len, entry, false, out, err);
}

/* docker.io, and not because the name says so. */
static bool is_short(const char *text, const struct sb_reference *ref)
{
	const size_t len = strcspn(text, "/");

	return strcmp(ref->registry, "docker.io") == 0 &&
	       (text[len] == '\0' || memchr(text, '.', len) == NULL);
}

/* The alias stands for the name without its tag and digest, which stay. */
static int expand_alias(const char *text, size_t len, const char *alias, struct sb_references *out,
	struct sb_error *err)
{
	sb_autofree char *name = sb_asprintf("%s%s", alias, text + len);
	struct sb_reference ref = {0};

	if (sb_reference_parse(name, &ref, err) < 0)
		return sb_error_context(err, "registries.conf: alias '%.*s'", (int)len, text);
	*SB_ARRAY_ADD(out) = ref;
	return 0;
}

int sb_registries_meanings(const struct sb_registries *registries, const char *text,
	struct sb_references *out, struct sb_error *err)
{
	const size_t len = strcspn(text, ":@");
	sb_autofree char *bare = sb_memdup0(text, len);
	struct sb_reference ref = {0};
	const char *alias = NULL;

	/* Also for what the name alone is checked for. */
	if (sb_reference_parse(text, &ref, err) < 0)
		return -1;
	if (is_short(text, &ref))
		alias = sb_env_get(&registries->aliases, bare);
	if (alias == NULL && (!is_short(text, &ref) || registries->search.len == 0)) {
		*SB_ARRAY_ADD(out) = ref;
		return 0;
	}
	sb_reference_release(&ref);
	if (alias != NULL)
		return expand_alias(text, len, alias, out, err);
	for (size_t i = 0; i < registries->search.len; i++) {
		sb_autofree char *name = sb_asprintf("%s/%s", registries->search.items[i], text);

		if (sb_reference_parse(name, &ref, err) < 0)
			return sb_error_context(err, "registries.conf: search registry '%s'",
				registries->search.items[i]);
		*SB_ARRAY_ADD(out) = ref;
	}
	return 0;
}
