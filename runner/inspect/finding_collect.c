/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "base/strv.h"
#include "inspect/finding.h"
#include "inspect/report_words.h"

/* The place in a layer, or in the image: "name of a/b" of "layer 2: name of a/b". */
static const char *place_in_layer(const char *where, size_t layer)
{
	const char *colon = layer != SIZE_MAX ? strstr(where, ": ") : NULL;

	return colon != NULL ? colon + 2 : where;
}

static const char *path_of(const char *path, const char *where, size_t layer)
{
	return path != NULL ? path : place_in_layer(where, layer);
}

static char *in_packed(const char *inside)
{
	return inside != NULL && inside[0] != '\0' ? sb_asprintf(", in %s", inside) : sb_strdup("");
}

static void add_secrets(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->secrets, secret) {
		sb_autofree char *inside = in_packed(secret->inside);
		sb_autofree char *at = secret->layer != SIZE_MAX
					       ? sb_asprintf(", at byte %" PRIu64, secret->offset)
					       : sb_strdup("");
		sb_autofree char *extra = sb_asprintf("%s %s %s%s", secret->secret_id, secret->form,
			place_in_layer(secret->where, secret->layer), inside);
		struct sb_finding *finding = sb_findings_add(out, SB_RULE_KNOWN_SECRET,
			sb_asprintf("the secret '%s' is in %s%s (%s%s)", secret->secret_id,
				secret->where, inside, secret->form, at),
			path_of(secret->path, secret->where, secret->layer), extra);

		finding->layer = secret->layer;
		finding->removed_layer = secret->removed_layer;
	}
}

static char *pattern_message(const struct sb_pattern_finding *pattern)
{
	sb_autofree char *inside = in_packed(pattern->inside);
	sb_autofree char *line = pattern->layer == SIZE_MAX ? sb_strdup("")
				 : pattern->line > 0
					 ? sb_asprintf(", line %" PRIu64, pattern->line)
					 : sb_asprintf(", byte %" PRIu64, pattern->offset);
	sb_autofree char *more = pattern->n_more > 0
					 ? sb_asprintf(", and %" PRIu64 " more", pattern->n_more)
					 : sb_strdup("");

	return sb_asprintf("what looks like %s, %s, is in %s%s%s%s", pattern->rule->title,
		pattern->shown, pattern->where, inside, line, more);
}

static void add_patterns(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->patterns, pattern) {
		sb_autofree char *id =
			sb_asprintf("%s%s", SB_RULE_PATTERN_PREFIX, pattern->rule->id);
		sb_autofree char *inside = in_packed(pattern->inside);
		sb_autofree char *extra = sb_asprintf("%s %s%s", pattern->shown,
			place_in_layer(pattern->where, pattern->layer), inside);
		struct sb_finding *finding = sb_findings_add(out, id, pattern_message(pattern),
			path_of(pattern->path, pattern->where, pattern->layer), extra);

		finding->layer = pattern->layer;
		finding->removed_layer = pattern->removed_layer;
	}
}

static void add_problems(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->problems, problem) {
		const char *rule = problem->kind == SB_PROBLEM_OTHER ? SB_RULE_ODD_IMAGE
								     : SB_RULE_BROKEN_IMAGE;
		struct sb_finding *finding = sb_findings_add(
			out, rule, sb_strdup(problem->text), NULL, sb_problem_word(problem->kind));

		finding->layer = problem->layer;
	}
}

static void add_gaps(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->gaps, gap) {
		struct sb_finding *finding = sb_findings_add(out, SB_RULE_NOT_SCANNED,
			sb_asprintf("%s was not looked at: %s", gap->what, gap->why), gap->what,
			gap->why);

		finding->layer = gap->layer;
	}
}

/* Names under which people keep secrets; not the sources and manuals of programs about them. */
static bool is_called_like_a_secret(const char *path)
{
	static const char *const names[] = {"*secret*", "*credential*", "*passwd.txt", "*password*",
		"*token*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "id_rsa*",
		"id_ed25519*", "id_ecdsa*", "id_dsa*", ".env", ".env.*", ".npmrc", ".pypirc",
		".netrc", ".pgpass", ".git-credentials", ".dockercfg", "kubeconfig", NULL};
	static const char *const others[] = {"*.py", "*.pyc", "*.pyi", "*.so", "*.so.*", "*.a",
		"*.h", "*.c", "*.js", "*.mjs", "*.ts", "*.go", "*.rs", "*.rb", "*.pm", "*.pl",
		"*.php", "*.java", "*.class", "*.jar", "*.gz", "*.html", "*.md", "*.rst", "*.mo",
		"*.pub", "*.example", "*.sample", "*.service", NULL};
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; others[i] != NULL; i++)
		if (fnmatch(others[i], name, FNM_CASEFOLD) == 0)
			return false;
	for (size_t i = 0; names[i] != NULL; i++)
		if (fnmatch(names[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static void add_dead(const struct sb_inspection *in, struct sb_findings *out)
{
	enum { MAX_SECRET_BYTES = 1 << 20 };

	SB_ARRAY_FOREACH (&in->dead, file) {
		sb_autofree char *size = sb_size_format(file->size_bytes);
		const bool is_secret = file->size_bytes <= MAX_SECRET_BYTES &&
				       !file->is_visible_elsewhere &&
				       is_called_like_a_secret(file->path);
		struct sb_finding *finding = sb_findings_add(out,
			is_secret ? SB_RULE_DELETED_SECRET_FILE : SB_RULE_DELETED_FILE,
			sb_asprintf("%s of %s can still be read, though it is %s", size, file->path,
				file->cause),
			file->path, file->cause);

		finding->layer = file->added_layer;
		finding->removed_layer = file->removed_layer;
	}
}

static void add_caches(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->caches, cache) {
		sb_autofree char *size = sb_size_format(cache->live_bytes + cache->dead_bytes);
		sb_autofree char *files = sb_count_text(cache->n_files, "file");
		struct sb_finding *finding = sb_findings_add(out, SB_RULE_PACKAGE_CACHE,
			sb_asprintf("%s in %s of %s are in %s%s", size, files, cache->manager,
				cache->path,
				cache->live_bytes == 0 ? ", deleted by a later layer" : ""),
			cache->path, NULL);

		finding->layer = cache->layer;
	}
}

static void add_privileged(const struct sb_inspection *in, struct sb_findings *out)
{
	SB_ARRAY_FOREACH (&in->privileged, file) {
		sb_autofree char *what =
			file->capabilities != NULL
				? sb_strdup(file->capabilities)
				: sb_asprintf("mode %04o, owner %" PRIu32 ":%" PRIu32,
					  (unsigned)file->mode & 07777U, file->uid, file->gid);
		struct sb_finding *finding = sb_findings_add(out, SB_RULE_PRIVILEGED_FILE,
			sb_asprintf("%s gives rights: %s", file->path, what), file->path, what);

		finding->layer = file->layer;
	}
}

void sb_inspection_findings(const struct sb_inspection *inspection, struct sb_findings *out)
{
	*out = (struct sb_findings){0};
	add_secrets(inspection, out);
	add_patterns(inspection, out);
	add_problems(inspection, out);
	add_gaps(inspection, out);
	add_dead(inspection, out);
	add_caches(inspection, out);
	add_privileged(inspection, out);
	if (inspection->runs_as_root)
		(void)sb_findings_add(out, SB_RULE_RUNS_AS_ROOT,
			inspection->user[0] != '\0'
				? sb_asprintf("the config's user is '%s', which is root",
					  inspection->user)
				: sb_strdup("the config names no user, so it is root"),
			NULL, NULL);
	sb_findings_sort(out);
}
