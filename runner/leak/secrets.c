/* SPDX-License-Identifier: MIT */
#include "leak/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/mem.h"
#include "leak/judge.h"
#include "leak/secret_memory.h"
#include "sys/fd.h"

enum {
	MIN_TOKEN_BYTES = 4,
	MIN_STRONG_BYTES = 8,
	MAX_TOKEN_BYTES = 64, /* a longer run is rare enough to be searched for anywhere */
};

/* `bytes` is const for everybody else; the pages are ours to zero. */
struct owned_secret {
	struct sb_secret secret;
	char *pages; /* the shared mapping of the memfd, map_len bytes, or NULL */
	size_t map_len;
};

struct sb_secrets {
	SB_ARRAY(struct owned_secret *) items;
};

static void owned_secret_free(struct owned_secret *owned)
{
	if (owned == NULL)
		return;
	if (owned->pages != NULL) {
		if (mprotect(owned->pages, owned->map_len, PROT_READ | PROT_WRITE) == 0)
			explicit_bzero(owned->pages, owned->map_len);
		(void)munmap(owned->pages, owned->map_len);
	}
	sb_fd_closep(&owned->secret.fd);
	free(owned->secret.id);
	free(owned);
}
SB_DEFINE_FREEP(owned_secret)

struct sb_secrets *sb_secrets_new(void)
{
	return SB_NEW(struct sb_secrets);
}

void sb_secrets_free(struct sb_secrets *secrets)
{
	if (secrets == NULL)
		return;
	SB_ARRAY_FOREACH (&secrets->items, item)
		owned_secret_free(*item);
	SB_ARRAY_RELEASE(&secrets->items);
	free(secrets);
}

/* A memfd of the largest size a secret may have and one byte more, mapped for writing: the secret
 * is read straight into it, with no copy elsewhere. */
static int owned_secret_new(const char *id, struct owned_secret **out, struct sb_error *err)
{
	SB_AUTO(owned_secret) owned = SB_NEW(struct owned_secret);
	const size_t room = SB_MAX_SECRET + 1;

	owned->secret.id = sb_strdup(id);
	owned->secret.fd = -1;
	if (sb_fd_memory("secret", &owned->secret.fd, err) < 0)
		return -1;
	if (ftruncate(owned->secret.fd, (off_t)room) < 0)
		return sb_fail_errno(err, "make room for a secret");

	void *pages = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, owned->secret.fd, 0);

	if (pages == MAP_FAILED)
		return sb_fail_errno(err, "map a secret");
	owned->pages = pages;
	owned->map_len = room;
	sb_secret_pages_protect(pages, room);
	*out = SB_STEAL(owned);
	return 0;
}

static int too_long(struct sb_error *err)
{
	return sb_fail(err, SB_E_LIMIT, "it is larger than %d bytes", SB_MAX_SECRET);
}

/* Cuts the file and the mapping to what was read, and seals. */
static int finish(struct owned_secret *owned, size_t len, struct sb_error *err)
{
	const long page = sysconf(_SC_PAGESIZE);
	const size_t mask = (size_t)page - 1;
	const size_t keep = (len + mask) & ~mask;
	const size_t mapped = (owned->map_len + mask) & ~mask;

	if (ftruncate(owned->secret.fd, (off_t)len) < 0)
		return sb_fail_errno(err, "set a secret's size");
	if (mapped > keep)
		(void)munmap(owned->pages + keep, mapped - keep);
	owned->map_len = len;
	if (keep == 0)
		owned->pages = NULL;
	if (fcntl(owned->secret.fd, F_ADD_SEALS,
		    F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return sb_fail_errno(err, "seal a secret");
	if (owned->pages != NULL) {
		/* Again: for the whole of the largest size the limit may have been too low. */
		sb_secret_pages_protect(owned->pages, keep);
		if (mprotect(owned->pages, keep, PROT_READ) < 0)
			return sb_fail_errno(err, "protect a secret");
	}
	owned->secret.bytes = owned->pages;
	owned->secret.len = len;
	return 0;
}

/* Waits on a descriptor that somebody made non-blocking. */
static int read_some(int fd, void *bytes, size_t room, size_t *out_len, struct sb_error *err)
{
	for (;;) {
		const ssize_t n = read(fd, bytes, room);

		if (n >= 0) {
			*out_len = (size_t)n;
			return 0;
		}
		if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLIN};

			(void)poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return sb_fail_errno(err, "read");
		}
	}
}

static int fill_from_fd(struct owned_secret *owned, int fd, size_t *out_len, struct sb_error *err)
{
	size_t len = 0;

	for (;;) {
		size_t n = 0;

		if (read_some(fd, owned->pages + len, owned->map_len - len, &n, err) < 0)
			return -1;
		if (n == 0)
			break;
		len += n;
		if (len > SB_MAX_SECRET)
			return too_long(err);
	}
	*out_len = len;
	return 0;
}

static void put(struct sb_secrets *secrets, struct owned_secret *owned)
{
	SB_ARRAY_FOREACH (&secrets->items, item) {
		if (strcmp((*item)->secret.id, owned->secret.id) == 0) {
			owned_secret_free(*item);
			*item = owned;
			return;
		}
	}
	*SB_ARRAY_ADD(&secrets->items) = owned;
}

static void note_file(struct sb_secret *secret, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	secret->has_file = true;
	secret->file_dev = st.st_dev;
	secret->file_ino = st.st_ino;
}

int sb_secrets_add_fd(struct sb_secrets *secrets, const char *id, int fd, struct sb_error *err)
{
	SB_AUTO(owned_secret) owned = NULL;
	size_t len = 0;

	if (owned_secret_new(id, &owned, err) < 0 || fill_from_fd(owned, fd, &len, err) < 0 ||
		finish(owned, len, err) < 0)
		return sb_error_context(err, "secret '%s'", id);
	note_file(&owned->secret, fd);
	put(secrets, SB_STEAL(owned));
	return 0;
}

const struct sb_secret *sb_secrets_of_file(const struct sb_secrets *secrets, const struct stat *st)
{
	if (secrets == NULL || !S_ISREG(st->st_mode))
		return NULL;
	SB_ARRAY_FOREACH (&secrets->items, item) {
		const struct sb_secret *secret = &(*item)->secret;

		if (secret->has_file && secret->file_dev == st->st_dev &&
			secret->file_ino == st->st_ino)
			return secret;
	}
	return NULL;
}

static int fill_from_bytes(
	struct owned_secret *owned, const void *bytes, size_t len, struct sb_error *err)
{
	if (len > SB_MAX_SECRET)
		return too_long(err);
	if (len > 0)
		memcpy(owned->pages, bytes, len);
	return 0;
}

int sb_secrets_add_bytes(struct sb_secrets *secrets, const char *id, const void *bytes, size_t len,
	struct sb_error *err)
{
	SB_AUTO(owned_secret) owned = NULL;

	if (owned_secret_new(id, &owned, err) < 0 || fill_from_bytes(owned, bytes, len, err) < 0 ||
		finish(owned, len, err) < 0)
		return sb_error_context(err, "secret '%s'", id);
	put(secrets, SB_STEAL(owned));
	return 0;
}

const struct sb_secret *sb_secrets_get(const struct sb_secrets *secrets, const char *id)
{
	SB_ARRAY_FOREACH (&secrets->items, item)
		if (strcmp((*item)->secret.id, id) == 0)
			return &(*item)->secret;
	return NULL;
}

size_t sb_secrets_count(const struct sb_secrets *secrets)
{
	return secrets->items.len;
}

const struct sb_secret *sb_secrets_at(const struct sb_secrets *secrets, size_t i)
{
	return &secrets->items.items[i]->secret;
}

size_t sb_secret_trimmed_len(const struct sb_secret *secret)
{
	size_t len = secret->len;

	while (len > 0 && (secret->bytes[len - 1] == '\n' || secret->bytes[len - 1] == '\r'))
		len--;
	return len;
}

enum sb_secret_strength sb_secret_strength(const struct sb_secret *secret)
{
	const size_t len = sb_secret_trimmed_len(secret);

	if (len < MIN_TOKEN_BYTES || sb_judge_is_common(secret->bytes, len))
		return SB_SECRET_UNSEARCHABLE;
	if (len < MIN_STRONG_BYTES)
		return SB_SECRET_WEAK;
	return len <= MAX_TOKEN_BYTES && sb_judge_is_monotone(secret->bytes, len)
		       ? SB_SECRET_WEAK
		       : SB_SECRET_STRONG;
}
