/* SPDX-License-Identifier: MIT */
#include "sandbox/spec.h"

#include <string.h>

#include "base/mem.h"
#include "sys/channel.h"

/*
 * The encoding: numbers as eight bytes in the machine's order, strings and lists with their length
 * before them; NULL strings have the length UINT64_MAX. Both ends are the same build on the same
 * machine.
 */

struct writer {
	struct sb_buf *out;
	int *fds;
	size_t n_fds;
	struct sb_error *err;
	bool failed;
};

static void put_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (!w->failed && sb_buf_add(w->out, bytes, len, w->err) < 0)
		w->failed = true;
}

static void put_number(struct writer *w, uint64_t n)
{
	put_bytes(w, &n, sizeof(n));
}

static void put_string(struct writer *w, const char *s)
{
	put_number(w, s != NULL ? strlen(s) : UINT64_MAX);
	if (s != NULL)
		put_bytes(w, s, strlen(s));
}

static void put_strv(struct writer *w, const struct sb_strv *v)
{
	put_number(w, v->len);
	for (size_t i = 0; i < v->len; i++)
		put_string(w, v->items[i]);
}

static void put_fd(struct writer *w, int fd)
{
	if (!w->failed && fd >= 0 && w->n_fds == SB_CHANNEL_MAX_FDS) {
		(void)sb_fail(w->err, SB_E_LIMIT, "a step with more than %d mounts",
			SB_CHANNEL_MAX_FDS - 3);
		w->failed = true;
	}
	put_number(w, fd >= 0);
	if (!w->failed && fd >= 0)
		w->fds[w->n_fds++] = fd;
}

struct reader {
	const char *p;
	const char *end;
	const int *fds;
	size_t n_fds;
	bool failed;
};

static void get_bytes(struct reader *r, void *out, size_t len)
{
	if (r->failed || (size_t)(r->end - r->p) < len) {
		r->failed = true;
		memset(out, 0, len);
		return;
	}
	memcpy(out, r->p, len);
	r->p += len;
}

static uint64_t get_number(struct reader *r)
{
	uint64_t n = 0;

	get_bytes(r, &n, sizeof(n));
	return n;
}

/* One of an enum's values, 0 … last. */
static unsigned get_choice(struct reader *r, unsigned last)
{
	const uint64_t n = get_number(r);

	if (n > last)
		r->failed = true;
	return r->failed ? 0 : (unsigned)n;
}

static char *get_string(struct reader *r)
{
	const uint64_t len = get_number(r);

	if (r->failed || len == UINT64_MAX)
		return NULL;
	if (len > (uint64_t)(r->end - r->p)) {
		r->failed = true;
		return NULL;
	}

	char *s = sb_memdup0(r->p, len);

	r->p += len;
	return s;
}

/* The number of items that follow; each takes eight bytes at least, which bounds it by the message.
 */
static size_t get_len(struct reader *r)
{
	const uint64_t n = get_number(r);

	if (!r->failed && n > (uint64_t)(r->end - r->p) / sizeof(uint64_t))
		r->failed = true;
	return r->failed ? 0 : n;
}

static void get_strv(struct reader *r, struct sb_strv *out)
{
	for (size_t n = get_len(r); n > 0 && !r->failed; n--) {
		char *s = get_string(r);

		if (s == NULL)
			r->failed = true;
		else
			sb_strv_add_nodup(out, s);
	}
}

static int get_fd(struct reader *r)
{
	if (get_number(r) == 0)
		return -1;
	if (r->failed || r->n_fds == 0) {
		r->failed = true;
		return -1;
	}
	r->n_fds--;
	return *r->fds++;
}

void sb_step_spec_release(struct sb_step_spec *spec)
{
	sb_strv_release(&spec->argv);
	sb_strv_release(&spec->env);
	free(spec->cwd);
	free(spec->hostname);
	SB_ARRAY_RELEASE(&spec->groups);
	sb_strv_release(&spec->publish);
	sb_strv_release(&spec->lowers);
	free(spec->upper);
	free(spec->work);
	SB_ARRAY_FOREACH (&spec->mounts, mount) {
		free(mount->target);
		free(mount->content);
	}
	SB_ARRAY_RELEASE(&spec->mounts);
	*spec = (struct sb_step_spec)SB_STEP_SPEC_INIT;
}

static void put_mount(struct writer *w, const struct sb_step_mount *mount)
{
	put_number(w, mount->kind);
	put_string(w, mount->target);
	put_number(w, mount->is_file);
	put_number(w, mount->is_readonly);
	put_number(w, mount->is_raw);
	put_number(w, mount->mode);
	put_number(w, mount->uid);
	put_number(w, mount->gid);
	put_number(w, mount->size_bytes);
	put_string(w, mount->content);
	put_fd(w, mount->fd);
}

/* What a mount of its kind can't do without. */
static bool is_whole(const struct sb_step_mount *mount)
{
	switch (mount->kind) {
	case SB_STEP_MOUNT_TREE:
	case SB_STEP_MOUNT_SECRET:
	case SB_STEP_MOUNT_AGENT:
		return mount->fd >= 0;
	case SB_STEP_MOUNT_FILE:
		return mount->content != NULL;
	case SB_STEP_MOUNT_TMPFS:
		return true;
	}
	return false;
}

static void get_mount(struct reader *r, struct sb_step_mount *out)
{
	out->kind = (enum sb_step_mount_kind)get_choice(r, SB_STEP_MOUNT_AGENT);
	out->target = get_string(r);
	out->is_file = get_number(r) != 0;
	out->is_readonly = get_number(r) != 0;
	out->is_raw = get_number(r) != 0;
	out->mode = (uint32_t)get_number(r);
	out->uid = (uid_t)get_number(r);
	out->gid = (gid_t)get_number(r);
	out->size_bytes = get_number(r);
	out->content = get_string(r);
	out->fd = get_fd(r);
	if (out->target == NULL || !is_whole(out))
		r->failed = true;
}

int sb_step_spec_encode(const struct sb_step_spec *spec, struct sb_buf *out, int *fds,
	size_t *out_n_fds, struct sb_error *err)
{
	struct writer w = {.out = out, .fds = fds, .err = err};

	put_strv(&w, &spec->argv);
	put_strv(&w, &spec->env);
	put_string(&w, spec->cwd);
	put_string(&w, spec->hostname);
	put_number(&w, spec->uid);
	put_number(&w, spec->gid);
	put_number(&w, spec->groups.len);
	SB_ARRAY_FOREACH (&spec->groups, gid)
		put_number(&w, *gid);
	put_bytes(&w, &spec->ids, sizeof(spec->ids));
	put_number(&w, spec->single_id);
	put_number(&w, spec->no_new_privs);
	put_number(&w, spec->is_32bit);
	put_number(&w, spec->network);
	put_strv(&w, &spec->publish);
	put_number(&w, spec->shm_bytes);
	put_strv(&w, &spec->lowers);
	put_string(&w, spec->upper);
	put_string(&w, spec->work);
	put_fd(&w, spec->layers_fd);
	put_fd(&w, spec->stdin_fd);
	put_fd(&w, spec->stdout_fd);
	put_fd(&w, spec->stderr_fd);
	put_fd(&w, spec->terminal_fd);
	put_number(&w, spec->terminal_rows);
	put_number(&w, spec->terminal_columns);
	put_number(&w, spec->mounts.len);
	SB_ARRAY_FOREACH (&spec->mounts, mount)
		put_mount(&w, mount);
	*out_n_fds = w.n_fds;
	return w.failed ? -1 : 0;
}

static bool has_streams(const struct sb_step_spec *spec)
{
	return spec->terminal_fd >= 0 || (spec->stdout_fd >= 0 && spec->stderr_fd >= 0);
}

int sb_step_spec_decode(const char *bytes, size_t len, const int *fds, size_t n_fds,
	struct sb_step_spec *out, struct sb_error *err)
{
	struct reader r = {.p = bytes, .end = bytes + len, .fds = fds, .n_fds = n_fds};
	struct sb_step_spec spec = SB_STEP_SPEC_INIT;

	get_strv(&r, &spec.argv);
	get_strv(&r, &spec.env);
	spec.cwd = get_string(&r);
	spec.hostname = get_string(&r);
	spec.uid = (uid_t)get_number(&r);
	spec.gid = (gid_t)get_number(&r);
	for (size_t n = get_len(&r); n > 0 && !r.failed; n--)
		*SB_ARRAY_ADD(&spec.groups) = (gid_t)get_number(&r);
	get_bytes(&r, &spec.ids, sizeof(spec.ids));
	spec.single_id = get_number(&r) != 0;
	spec.no_new_privs = get_number(&r) != 0;
	spec.is_32bit = get_number(&r) != 0;
	spec.network = (enum sb_step_network)get_choice(&r, SB_STEP_NET_USER);
	get_strv(&r, &spec.publish);
	spec.shm_bytes = get_number(&r);
	get_strv(&r, &spec.lowers);
	spec.upper = get_string(&r);
	spec.work = get_string(&r);
	spec.layers_fd = get_fd(&r);
	spec.stdin_fd = get_fd(&r);
	spec.stdout_fd = get_fd(&r);
	spec.stderr_fd = get_fd(&r);
	spec.terminal_fd = get_fd(&r);
	spec.terminal_rows = (unsigned short)get_number(&r);
	spec.terminal_columns = (unsigned short)get_number(&r);
	for (size_t n = get_len(&r); n > 0 && !r.failed; n--)
		get_mount(&r, SB_ARRAY_ADD(&spec.mounts));
	if (r.failed || r.p != r.end || r.n_fds != 0 || spec.argv.len == 0 || spec.cwd == NULL ||
		spec.hostname == NULL || spec.upper == NULL || spec.work == NULL ||
		spec.layers_fd < 0 || !has_streams(&spec)) {
		sb_step_spec_release(&spec);
		return sb_fail(err, SB_E_BUG, "a step's description does not fit");
	}
	*out = spec;
	return 0;
}

void sb_step_result_release(struct sb_step_result *result)
{
	free(result->message);
	*result = (struct sb_step_result){0};
}

char *sb_step_result_text(const struct sb_error *err)
{
	return err->hint != NULL ? sb_asprintf("%s\n%s", err->message, err->hint)
				 : sb_strdup(err->message);
}

int sb_step_result_encode(
	const struct sb_step_result *result, struct sb_buf *out, struct sb_error *err)
{
	struct writer w = {.out = out, .err = err};

	put_number(&w, result->has_run);
	put_number(&w, (uint64_t)result->status);
	put_number(&w, (uint64_t)result->signal);
	put_string(&w, result->message);
	return w.failed ? -1 : 0;
}

int sb_step_result_decode(
	const char *bytes, size_t len, struct sb_step_result *out, struct sb_error *err)
{
	struct reader r = {.p = bytes, .end = bytes + len};
	struct sb_step_result result = {0};

	result.has_run = get_number(&r) != 0;
	result.status = (int)get_number(&r);
	result.signal = (int)get_number(&r);
	result.message = get_string(&r);
	if (r.failed || r.p != r.end) {
		sb_step_result_release(&result);
		return sb_fail(err, SB_E_BUG, "a step's answer does not fit");
	}
	*out = result;
	return 0;
}
