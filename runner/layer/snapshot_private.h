/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_SNAPSHOT_PRIVATE_H
#define SB_LAYER_SNAPSHOT_PRIVATE_H

#include "base/array.h"
#include "layer/snapshot.h"
#include "sys/mutex.h"

/* A layer that this process holds: a descriptor of its folder with a shared flock, which ends with
 * the process at the latest. Who removes a layer takes the lock alone. */
struct sb_pin {
	char *name;
	int fd;
	bool is_unsettled; /* not known to be on disk */
};

struct sb_snapshots {
	int fd;
	struct sb_idmap ids;
	_Atomic unsigned n_names;
	pthread_mutex_t lock; /* of all below */
	char *build; /* name in builds/, made by the first upper and then never changed; NULL until
			then */
	int build_lock;
	SB_ARRAY(struct sb_pin) pins;
};

/* The build's own folder, made and locked at its first use. */
int sb_snapshots_begin_build(struct sb_snapshots *snapshots, struct sb_error *err) SB_MUST_USE;
/* A new name in the build's folder; caller frees. The build has begun. */
char *sb_snapshots_own_name(struct sb_snapshots *snapshots, const char *what);

void sb_pin_release(struct sb_pin *pin);

/* Is the open folder still the one of that name? */
bool sb_snapshots_is_still_named(const struct sb_snapshots *snapshots, const char *name, int fd);

/* What has the name of a folder and is none (something else put it there) gives way to one.
 * *out_is_cleared is false where it is a folder. */
int sb_snapshots_clear_name(struct sb_snapshots *snapshots, const char *name, bool *out_is_cleared,
	struct sb_error *err) SB_MUST_USE;

/* "cache/HEX" and a suffix; caller frees. */
char *sb_snapshots_cache_name(const char *key, const char *suffix);

/* As sb_snapshots_pin, of a cache mount that is open. Does not wait: who holds it alone may do so
 * for long (sb_snapshots_hold_cache). */
enum sb_pinned {
	SB_PINNED,
	SB_PIN_BUSY,
	SB_PIN_GONE /* the name is another folder's, or none's */
};
int sb_snapshots_pin_cache(struct sb_snapshots *snapshots, const char *name, const char *text,
	int fd, enum sb_pinned *out, struct sb_error *err) SB_MUST_USE;

#endif
