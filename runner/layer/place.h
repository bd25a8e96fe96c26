/* SPDX-License-Identifier: MIT */
#ifndef SB_LAYER_PLACE_H
#define SB_LAYER_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/error.h"
#include "layer/apply.h"

/*
 * Where an archive's entries go: names are turned into an open folder and one last name, beneath
 * the root, links followed as inside a container. Nothing here leaves the root.
 */

/* A folder's time is set when all is unpacked, since each entry in it changes it. */
struct sb_folder_time {
	char *path; /* below the root, without links; owned */
	ino_t ino;
	struct timespec mtime;
};

struct sb_places {
	int root_fd;                            /* borrowed */
	const struct sb_apply_options *options; /* borrowed */
	/* The folder of the last entry. */
	char *name;   /* as the archive has it, cleaned; NULL: none */
	char *folder; /* the same without links */
	int folder_fd;
	SB_ARRAY(struct sb_folder_time) times;
};

void sb_places_release(struct sb_places *places);

/*
 * A name from an archive, cleaned: relative, "." for the root. A leading slash is dropped, as all
 * unpackers do; a name that climbs above the root is SB_E_INTEGRITY. Caller frees.
 */
int sb_place_clean(const char *name, char **out, struct sb_error *err) SB_MUST_USE;

struct sb_place {
	int dir_fd;         /* O_PATH, borrowed from the places until the next find */
	const char *folder; /* dir_fd's path below the root, without links, "." for the root; as
			       dir_fd */
	const char *name;   /* the last part of the name that was asked for */
};

/* Finds the folder of a cleaned name other than ".". Missing folders are made (mode 0755, owner
 * 0:0). Fails with SB_E_INTEGRITY where something that is not a folder is in the way. */
int sb_place_find(struct sb_places *places, const char *name, struct sb_place *out,
	struct sb_error *err) SB_MUST_USE;
/* As sb_place_find, but makes nothing, and opens the folder for the caller, who closes it;
 * *out_dir_fd is -1 where it does not exist. */
int sb_place_look(struct sb_places *places, const char *name, int *out_dir_fd,
	const char **out_name, struct sb_error *err) SB_MUST_USE;

/* What stands at the place now. */
struct sb_standing {
	bool exists;
	bool is_whiteout;
	struct stat st;
};
int sb_place_stat(
	const struct sb_place *place, struct sb_standing *out, struct sb_error *err) SB_MUST_USE;
/* Removes it, with all below it. */
int sb_place_clear(struct sb_places *places, const struct sb_place *place,
	const struct sb_standing *standing, struct sb_error *err) SB_MUST_USE;

/* Remembers a folder's time; sb_places_set_times sets them all, of the folders that still are
 * those. */
int sb_place_keep_time(struct sb_places *places, const struct sb_place *place,
	struct timespec mtime, struct sb_error *err) SB_MUST_USE;
int sb_places_set_times(struct sb_places *places, struct sb_error *err) SB_MUST_USE;

#endif
