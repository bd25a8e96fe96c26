/* SPDX-License-Identifier: MIT */
#include "build/instructions.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "build/commit.h"
#include "build/content.h"
#include "build/copy.h"
#include "build/fetch.h"
#include "build/from.h"
#include "build/stack.h"
#include "build/step_cache.h"
#include "build/step_key.h"
#include "buildfile/expand.h"
#include "layer/whiteout.h"
#include "plan/remote.h"
#include "sys/at.h"
#include "sys/fd.h"

/* The instruction's words, flags and heredocs with their variables put in. */
struct expanded {
	struct sb_strv sources;             /* remote ones as messages and the history show them */
	SB_ARRAY(struct sb_remote) remotes; /* of the same places; kind NONE for local ones */
	struct sb_fetched *fetched; /* of the same places, where it was fetched already; owned */
	char *dest;
	char *chown;
	char *chmod;
	char *checksum;
	struct sb_ignore *exclude;
	struct sb_heredocs heredocs; /* bodies owned, names borrowed */
};

static void expanded_release(struct expanded *e)
{
	sb_strv_release(&e->sources);
	for (size_t i = 0; e->fetched != NULL && i < e->remotes.len; i++)
		sb_fetched_release(&e->fetched[i]);
	free(e->fetched);
	SB_ARRAY_FOREACH (&e->remotes, remote)
		sb_remote_release(remote);
	SB_ARRAY_RELEASE(&e->remotes);
	free(e->dest);
	free(e->chown);
	free(e->chmod);
	free(e->checksum);
	sb_ignore_free(e->exclude);
	SB_ARRAY_FOREACH (&e->heredocs, heredoc)
		free(heredoc->body);
	SB_ARRAY_RELEASE(&e->heredocs);
}

static int expand_heredocs(const struct sb_do *d, struct expanded *e, struct sb_error *err)
{
	SB_ARRAY_FOREACH (&d->instr->heredocs, heredoc) {
		struct sb_heredoc copy = *heredoc;

		if (heredoc->is_quoted)
			copy.body = sb_memdup0(heredoc->body, heredoc->len);
		else if (sb_expand_keep_quotes(
				 heredoc->body, &d->state->env, '\\', &copy.body, err) < 0)
			return -1;
		else
			copy.len = strlen(copy.body);
		*SB_ARRAY_ADD(&e->heredocs) = copy;
	}
	return 0;
}

static int expand_sources(const struct sb_do *d, struct expanded *e, struct sb_error *err)
{
	const struct sb_instruction *instr = d->instr;

	for (size_t i = 0; i + 1 < instr->words.len; i++) {
		sb_autofree char *word = NULL;

		if (strncmp(instr->words.items[i], "<<", 2) == 0 && instr->heredocs.len > 0)
			continue;
		if (sb_do_expand(d, instr->words.items[i], &word, err) < 0)
			return -1;

		struct sb_remote *remote = SB_ARRAY_ADD(&e->remotes);

		if (sb_remote_parse(word, SB_REMOTE_IN_BUILDFILE, remote, err) < 0)
			return sb_error_context(err, "%s", sb_instruction_name(instr->kind));
		if (remote->kind != SB_REMOTE_NONE && instr->kind == SB_INSTR_COPY)
			return sb_fail(err, SB_E_SYNTAX, "COPY: source can't be a URL: '%s'",
				remote->shown);
		sb_strv_add(&e->sources, remote->kind != SB_REMOTE_NONE ? remote->shown : word);
	}
	return 0;
}

/* What is wrong is a word's value: shown is the word, as the Buildfile has it. */
static void find_written(const struct sb_do *d, struct sb_error *err)
{
	for (size_t i = 0; err->about != NULL && i < d->instr->words.len; i++) {
		sb_autofree char *value = NULL;
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		if (sb_do_expand(d, d->instr->words.items[i], &value, &ignored) < 0)
			sb_error_ignore(&ignored, "there is an error to tell already");
		else if (strcmp(value, err->about) == 0) {
			free(err->about);
			err->about = sb_strdup(d->instr->words.items[i]);
			return;
		}
	}
}

static int expand_flag(const struct sb_do *d, const char *name, char **out, struct sb_error *err)
{
	const char *value = sb_instruction_flag(d->instr, name);

	return value != NULL ? sb_do_expand(d, value, out, err) : 0;
}

static int expand_excludes(const struct sb_do *d, struct expanded *e, struct sb_error *err)
{
	SB_AUTO_STRV patterns = SB_STRV_INIT;

	SB_ARRAY_FOREACH (&d->instr->flags, flag) {
		sb_autofree char *pattern = NULL;

		if (strcmp(flag->key, "exclude") != 0)
			continue;
		if (sb_do_expand(d, flag->value, &pattern, err) < 0)
			return -1;
		sb_strv_add_nodup(&patterns, SB_STEAL(pattern));
	}
	if (patterns.len > 0 && sb_ignore_of_patterns(&patterns, &e->exclude, err) < 0)
		return sb_error_context(err, "--exclude");
	return 0;
}

static int expand(const struct sb_do *d, struct expanded *e, struct sb_error *err)
{
	if (expand_sources(d, e, err) < 0 || expand_heredocs(d, e, err) < 0 ||
		sb_do_expand(d, d->instr->words.items[d->instr->words.len - 1], &e->dest, err) <
			0 ||
		expand_flag(d, "chown", &e->chown, err) < 0)
		return -1;
	if (expand_flag(d, "chmod", &e->chmod, err) < 0 ||
		expand_flag(d, "checksum", &e->checksum, err) < 0 || expand_excludes(d, e, err) < 0)
		return -1;
	if (e->checksum == NULL)
		return 0;
	if (sb_remote_check_sum(
		    e->checksum, e->remotes.items, e->remotes.len + e->heredocs.len, err) < 0)
		return sb_error_context(err, "--checksum");
	return 0;
}

static char *created_by(const struct sb_do *d, const struct expanded *e)
{
	SB_AUTO_STRV words = SB_STRV_INIT;

	sb_strv_add(&words, sb_instruction_name(d->instr->kind));
	if (sb_instruction_flag_is_true(d->instr, "parents"))
		sb_strv_add(&words, "--parents");
	if (e->chown != NULL)
		sb_strv_addf(&words, "--chown=%s", e->chown);
	if (e->chmod != NULL)
		sb_strv_addf(&words, "--chmod=%s", e->chmod);
	sb_strv_add_all(&words, &e->sources);
	SB_ARRAY_FOREACH (&e->heredocs, heredoc)
		sb_strv_addf(&words, "<<%s", heredoc->name);
	sb_strv_add(&words, e->dest);
	return sb_strv_join(&words, " ");
}

/* True where archives among the sources are unpacked. */
static bool unpacks(const struct sb_do *d, bool is_remote)
{
	if (d->instr->kind != SB_INSTR_ADD)
		return false;
	return sb_instruction_flag(d->instr, "unpack") != NULL
		       ? sb_instruction_flag_is_true(d->instr, "unpack")
		       : !is_remote;
}

/* Once: its content may be wanted for the key, and then for the copy. */
static int fetch(const struct sb_do *d, struct expanded *e, size_t i, struct sb_error *err)
{
	const struct sb_fetch_options options = {
		.checksum = e->checksum,
		.keep_git_dir = sb_instruction_flag_is_true(d->instr, "keep-git-dir"),
	};

	if (e->fetched == NULL) {
		e->fetched = sb_calloc(e->remotes.len, sizeof(*e->fetched));
		for (size_t k = 0; k < e->remotes.len; k++)
			e->fetched[k].fd = -1;
	}
	if (e->fetched[i].fd >= 0)
		return 0;
	return sb_fetch(d->build, &e->remotes.items[i], &options, &e->fetched[i], err);
}

/* `all` with what was fetched in the place of the local sources. */
static int copy_remote(const struct sb_do *d, struct expanded *e, size_t i, struct sb_copy all,
	struct sb_error *err)
{
	SB_AUTO_STRV sources = SB_STRV_INIT;

	if (fetch(d, e, i, err) < 0)
		return -1;
	sb_strv_add(&sources, e->fetched[i].source);
	all.source_fd = e->fetched[i].fd;
	all.source_is_context = true;
	all.ignore = NULL;
	all.store = NULL;
	all.sources = &sources;
	all.n_heredocs = 0;
	all.is_add = unpacks(d, true);
	if (sb_copy_files(&all, err) < 0)
		return -1;
	return sb_fetched_remove(d->build, &e->fetched[i], err);
}

/* In the order in which they are written, since a later one replaces an earlier one's files: local
 * ones that stand side by side at once, remote ones each by itself. Heredocs come last. */
static int copy_sources(
	const struct sb_do *d, struct expanded *e, struct sb_copy all, struct sb_error *err)
{
	const size_t n_all = e->sources.len + e->heredocs.len;
	size_t i = 0;

	while (i < e->sources.len) {
		SB_AUTO_STRV group = SB_STRV_INIT;
		struct sb_copy local = all;
		int rc = 0;

		if (e->remotes.items[i].kind != SB_REMOTE_NONE) {
			all.n_others = n_all - 1;
			if (copy_remote(d, e, i++, all, err) < 0)
				return -1;
			continue;
		}
		while (i < e->sources.len && e->remotes.items[i].kind == SB_REMOTE_NONE)
			sb_strv_add(&group, e->sources.items[i++]);
		local.sources = &group;
		local.n_heredocs = i == e->sources.len ? e->heredocs.len : 0;
		local.n_others = n_all - group.len - local.n_heredocs;
		rc = sb_copy_files(&local, err);
		if (rc < 0 || local.n_heredocs > 0 || i == e->sources.len)
			return rc;
	}
	all.n_others = e->sources.len;
	return e->heredocs.len > 0 ? sb_copy_files(&all, err) : 0;
}

static int copy_into(const struct sb_do *d, struct expanded *e, const struct sb_from *from,
	const struct sb_upper *upper, struct sb_error *err)
{
	SB_AUTO_STRV warnings = SB_STRV_INIT;
	sb_autofd int root_fd = -1;
	sb_autofd int source_fd = -1;
	struct stat store;
	const bool is_link = sb_instruction_flag_is_true(d->instr, "link");
	const struct sb_strv nothing = SB_STRV_INIT;

	if (fstat(d->build->store_fd, &store) < 0)
		return sb_fail_errno(err, "the store");
	if (sb_from_open(d, from, &source_fd, err) < 0 ||
		sb_stack_view(
			d->build, is_link ? &nothing : &d->state->lowers, upper, &root_fd, err) < 0)
		return -1;

	const struct sb_copy all = {
		.source_fd = source_fd,
		.source_is_context = from->is_context,
		.ignore = from->ignore,
		.store = from->is_context ? &store : NULL,
		.secrets = d->build->secrets,
		.interrupt = d->build->interrupt,
		.root_fd = root_fd,
		.ids = d->build->host->ids,
		.heredocs = e->heredocs.items,
		.n_heredocs = e->heredocs.len,
		.dest = e->dest,
		.workdir = sb_stage_state_workdir(d->state),
		.chown = e->chown,
		.chmod = e->chmod,
		.is_add = unpacks(d, false),
		.has_parents = sb_instruction_flag_is_true(d->instr, "parents"),
		.is_link = is_link,
		.exclude = e->exclude,
		.warnings = &warnings,
	};
	const int rc = copy_sources(d, e, all, err);

	if (rc < 0)
		find_written(d, err);
	for (size_t i = 0; i < warnings.len; i++)
		sb_events_warn(&d->build->events, warnings.items[i], NULL);
	return rc < 0 ? sb_error_context(err, "%s", sb_instruction_name(d->instr->kind)) : 0;
}

/* What --link copied lies on nothing so far, and comes to lie on the stage. */
static int make_stackable(const struct sb_do *d, const struct sb_upper *upper, struct sb_error *err)
{
	sb_autofd int fd = -1;

	if (sb_at_open_dir(sb_snapshots_fd(d->build->snapshots), upper->diff, SB_AT_NO_LINKS, &fd,
		    err) < 0)
		return -1;
	return sb_whiteout_clear_opaque_in(fd, err);
}

/* What the digests of the sources were made of. */
struct digesting {
	struct sb_strv warnings;
	struct sb_key stamps;
};

static void digesting_release(struct digesting *digesting)
{
	sb_strv_release(&digesting->warnings);
	sb_key_release(&digesting->stamps);
}

/* With a checksum it need not be fetched to know what it is. */
static int digest_remote(const struct sb_do *d, struct expanded *e, size_t i, struct sb_digest *out,
	struct sb_error *err)
{
	const struct sb_remote *remote = &e->remotes.items[i];
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;
	SB_AUTO_STRV sources = SB_STRV_INIT;

	if (e->checksum != NULL) {
		sb_key_text(&key, "checksum", e->checksum);
		sb_key_text(&key, "name", remote->name);
		sb_key_text(&key, "repository", remote->kind == SB_REMOTE_GIT ? remote->url : NULL);
		sb_key_text(&key, "folder", remote->subdir);
		sb_key_number(&key, "git",
			remote->keep_git_dir ||
				sb_instruction_flag_is_true(d->instr, "keep-git-dir"));
		sb_key_number(&key, "submodules", !remote->no_submodules);
		sb_key_finish(&key, out);
		return 0;
	}
	if (d->build->planned != NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "nothing is fetched for a plan");
	if (fetch(d, e, i, err) < 0)
		return -1;
	sb_strv_add(&sources, e->fetched[i].source);

	const struct sb_copy copy = {.source_fd = e->fetched[i].fd,
		.source_is_context = true,
		.interrupt = d->build->interrupt,
		.ids = d->build->host->ids,
		.sources = &sources,
		.exclude = e->exclude,
		.chown = e->chown,
		.chmod = e->chmod,
		.has_parents = sb_instruction_flag_is_true(d->instr, "parents")};

	const struct sb_content_options options = {.with_times = d->build->source_date_epoch};

	return sb_content_digest(&copy, &options, out, err);
}

/* content NULL: only the stamp, which is added to those of the other groups. */
static int digest_local(const struct sb_do *d, const struct expanded *e, const struct sb_from *from,
	const struct sb_strv *sources, struct digesting *out, struct sb_digest *content,
	struct sb_error *err)
{
	const struct sb_copy copy = {.sources = sources,
		.exclude = e->exclude,
		.chown = e->chown,
		.chmod = e->chmod,
		.has_parents = sb_instruction_flag_is_true(d->instr, "parents"),
		.warnings = &out->warnings};
	struct sb_digest stamp = {0};
	const int rc = content != NULL ? sb_from_digest(d, from, copy, content, &stamp, err)
				       : sb_from_stamp(d, from, copy, &stamp, err);

	sb_key_text(&out->stamps, "stamp", stamp.text);
	return rc;
}

/* Group by group, as copy_sources copies them. key NULL: only the stamps. */
static int digest_sources(const struct sb_do *d, struct expanded *e, const struct sb_from *from,
	struct sb_copy_key *key, struct digesting *out, struct sb_error *err)
{
	size_t i = 0;

	while (i < e->sources.len) {
		struct sb_digest *content = key != NULL ? SB_ARRAY_ADD(&key->contents) : NULL;
		SB_AUTO_STRV group = SB_STRV_INIT;

		if (e->remotes.items[i].kind != SB_REMOTE_NONE) {
			if (content != NULL && digest_remote(d, e, i, content, err) < 0)
				return -1;
			i++;
			continue;
		}
		while (i < e->sources.len && e->remotes.items[i].kind == SB_REMOTE_NONE)
			sb_strv_add(&group, e->sources.items[i++]);
		if (digest_local(d, e, from, &group, out, content, err) < 0)
			return -1;
	}
	return 0;
}

static int make_key(const struct sb_do *d, struct expanded *e, const struct sb_from *from,
	struct digesting *digesting, struct sb_key *out, struct sb_error *err)
{
	struct sb_copy_key key = {
		.scope = sb_step_scope_of(d),
		.workdir = sb_stage_state_workdir(d->state),
		.dest = e->dest,
		.chown = e->chown,
		.chmod = e->chmod,
		.is_add = d->instr->kind == SB_INSTR_ADD,
		.unpack = sb_instruction_flag(d->instr, "unpack"),
		.has_parents = sb_instruction_flag_is_true(d->instr, "parents"),
		.is_link = sb_instruction_flag_is_true(d->instr, "link"),
		.heredocs = e->heredocs.items,
		.n_heredocs = e->heredocs.len,
	};
	int rc = -1;

	if (d->state->is_unknown && !key.is_link)
		return sb_fail(err, SB_E_NOT_FOUND, "a stage that is not built");
	if (!from->is_context && from->state == NULL)
		return sb_fail(err, SB_E_NOT_FOUND, "an image that is not there");
	rc = digest_sources(d, e, from, &key, digesting, err);

	if (rc == 0)
		sb_key_of_copy(&key, out);
	SB_ARRAY_RELEASE(&key.contents);
	return rc;
}

/* Is there a result of an earlier build? If so, what was passed over is told as if it had run. */
static int use_cached(const struct sb_do *d, struct expanded *e, const struct sb_from *from,
	const char *by, struct digesting *digesting, struct sb_step_cache *cache, bool *out_is_done,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_key) key = SB_KEY_INIT;
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	const bool is_link = sb_instruction_flag_is_true(d->instr, "link");

	*out_is_done = false;
	if (d->build->cache == NULL)
		return 0;
	if (make_key(d, e, from, digesting, &key, &failed) < 0 &&
		sb_step_key_failed(&failed, err) < 0)
		return -1;
	if (sb_step_cache_begin(d, key.material.len > 0 ? &key : NULL, is_link, by, cache,
		    out_is_done, err) < 0)
		return -1;
	for (size_t i = 0; *out_is_done && i < digesting->warnings.len; i++)
		sb_events_warn(&d->build->events, digesting->warnings.items[i], NULL);
	return 0;
}

/* Files that changed after their digest was made may not be those that were copied: then the key is
 * no longer that of the layer. */
static int check_unchanged(const struct sb_do *d, struct expanded *e, const struct sb_from *from,
	const struct digesting *before, struct sb_step_cache *cache, struct sb_error *err)
{
	__attribute__((cleanup(digesting_release))) struct digesting now = {.stamps = SB_KEY_INIT};
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (cache->cache == NULL)
		return 0;
	if (digest_sources(d, e, from, NULL, &now, &failed) == 0 &&
		sb_key_equal(&before->stamps, &now.stamps))
		return 0;
	sb_step_cache_release(cache);
	*cache = (struct sb_step_cache)SB_STEP_CACHE_INIT;
	return sb_error_is_set(&failed) ? sb_step_key_failed(&failed, err) : 0;
}

/* What can't be found without fetching it makes a plan no worse. */
static int find_from(const struct sb_do *d, struct sb_from *from, struct sb_error *err)
{
	SB_AUTO_ERROR failed = SB_ERROR_INIT;

	if (sb_from_find(d, sb_instruction_flag(d->instr, "from"), from, &failed) == 0)
		return 0;
	if (d->build->planned != NULL)
		return sb_step_key_failed(&failed, err);
	sb_error_move(err, &failed);
	return -1;
}

static int copy_or_use(const struct sb_do *d, struct sb_error *err)
{
	__attribute__((cleanup(expanded_release))) struct expanded e = {0};
	SB_AUTO_VALUE(sb_upper) upper = {0};
	SB_AUTO_VALUE(sb_from) from = {.fd = -1};
	SB_AUTO_VALUE(sb_step_cache) cache = SB_STEP_CACHE_INIT;
	__attribute__((cleanup(digesting_release))) struct digesting digesting = {
		.stamps = SB_KEY_INIT};
	bool is_done = false;

	if (expand(d, &e, err) < 0 || find_from(d, &from, err) < 0)
		return -1;

	sb_autofree char *by = created_by(d, &e);
	const struct sb_written written = {.upper = &upper,
		.lower_fd = -1,
		.is_link = sb_instruction_flag_is_true(d->instr, "link"),
		.cache = &cache};

	if (use_cached(d, &e, &from, by, &digesting, &cache, &is_done, err) < 0)
		return -1;
	if (is_done)
		return 0;
	if (sb_snapshots_new_upper(d->build->snapshots, &upper, err) < 0 ||
		copy_into(d, &e, &from, &upper, err) < 0 ||
		check_unchanged(d, &e, &from, &digesting, &cache, err) < 0 ||
		(written.is_link && make_stackable(d, &upper, err) < 0))
		return -1;
	return sb_commit(d, &written, by, err);
}

int sb_do_copy(const struct sb_do *d, struct sb_error *err)
{
	if (copy_or_use(d, err) == 0)
		return 0;
	if (err->code == SB_E_LEAK)
		(void)sb_error_hint(err, "what is copied becomes part of the image; mount the "
					 "secret in the step that needs "
					 "it instead: RUN --mount=type=secret,id=ID …");
	return -1;
}
