/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_LIMITS_H
#define SB_BASE_LIMITS_H

/*
 * Every maximum that input is held to, each with its reason. All are in bytes unless the name says
 * otherwise.
 */
enum {
	SB_MAX_BUILDFILE = 8 << 20,    /* the largest generated ones seen are far below 1 MiB */
	SB_MAX_BUILDFILE_LINE = 65535, /* the reference's own limit on a physical line */
	SB_MAX_IGNORE_FILE = 1 << 20,  /* one pattern a line; a thousand patterns are 20 KiB */
	SB_MAX_SECRET = 500 << 10,     /* the reference's limit; it also bounds locked memory */
	SB_MAX_JSON = 8 << 20, /* manifests and configs; registries refuse manifests over 4 MiB */
	SB_MAX_PATH = 4096,    /* PATH_MAX: longer names in archives can't be made on Linux */
	SB_MAX_STEP_MESSAGE =
		16 << 20, /* one step's description: argv and env are bounded by ARG_MAX, 2 MiB */
	SB_MAX_LAYERS = 480,              /* overlayfs takes 500 lower layers; some are ours */
	SB_MAX_ARCHIVE_ENTRIES = 1 << 16, /* files in an image archive: some three for each layer */
	SB_MAX_PASSWD = 8 << 20,          /* /etc/passwd and /etc/group of an image */
	SB_MAX_HTTP_HEADER = 64 << 10,    /* all headers of one answer */
	SB_MAX_CERTIFICATES = 8 << 20,    /* authorities: those of Debian are 220 KiB */
	SB_MAX_PASSWORD = 64 << 10,       /* of a registry; tokens have some KiB */
	SB_MAX_TAR_RECORD = 1 << 20, /* one PAX record: xattrs are at most 64 KiB, names 4 KiB */
	SB_MAX_KEY =
		32 << 20, /* a RUN's script, environment and words: SB_MAX_BUILDFILE, expanded */
	SB_MAX_STAT_CACHE = 256 << 20,   /* two million files */
	SB_MAX_STEP_TAIL = 64 << 10,     /* what is kept of a step's output to show when it fails */
	SB_MAX_EXPANSION = 8 << 20,      /* what one word of a Buildfile may expand to */
	SB_MAX_EXPANSION_DEPTH = 64,     /* levels of ${a:-${b:-…}}; each is a C stack frame */
	SB_MAX_EXPANSION_PATTERN = 4096, /* of ${a#pattern}: a path's length; matching takes the
					    product of pattern and value */
};

#endif
