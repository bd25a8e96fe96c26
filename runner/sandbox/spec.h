/* SPDX-License-Identifier: MIT */
#ifndef SB_SANDBOX_SPEC_H
#define SB_SANDBOX_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "sys/idmap.h"

/*
 * One step, as data: everything that safebuild decides about it, with nothing looked up later. It
 * is encoded into one message to safebuild-step, so that what is confined, and how, can be read and
 * compared without privileges.
 */

enum sb_step_network {
	SB_STEP_NET_NONE, /* a namespace of its own with loopback only */
	SB_STEP_NET_HOST, /* the host's */
	SB_STEP_NET_USER, /* a namespace of its own, connected by slirp4netns */
};

enum sb_step_mount_kind {
	SB_STEP_MOUNT_TREE,   /* fd: a detached mount (sys/mount.h) with its attributes set */
	SB_STEP_MOUNT_TMPFS,  /* size_bytes (0: half of memory), mode */
	SB_STEP_MOUNT_SECRET, /* fd: a memfd with the value; mode, uid, gid */
	SB_STEP_MOUNT_FILE,   /* content: a small read-only file */
	SB_STEP_MOUNT_AGENT,  /* fd: an ssh agent's socket, opened O_PATH; mode, uid, gid, is_raw */
};

struct sb_step_mount {
	enum sb_step_mount_kind kind;
	char *target; /* absolute, links resolved in the step's root file system; owned */
	bool is_file; /* the mount point that is made where there is none: a file, or a folder */
	bool is_readonly;
	bool is_raw; /* what is said to the agent is passed on unread */
	uint32_t mode;
	uid_t uid; /* image ids */
	gid_t gid;
	uint64_t size_bytes;
	char *content; /* owned, or NULL */
	int fd;        /* borrowed, or -1 */
};

struct sb_step_spec {
	struct sb_strv argv;
	struct sb_strv env;
	char *cwd;
	char *hostname;
	uid_t uid;
	gid_t gid;
	SB_ARRAY(gid_t) groups;
	struct sb_idmap ids;
	bool single_id; /* setgroups is not allowed, uid and gid must be 0 */
	bool no_new_privs;
	bool is_32bit; /* the image is one of i386 programs: they need socketcall(2) */
	enum sb_step_network network;
	struct sb_strv publish; /* sandbox/publish.h; with SB_STEP_NET_USER only */
	uint64_t shm_bytes;

	/* The root file system: names below layers_fd, as struct sb_overlay has them. */
	struct sb_strv lowers; /* bottom first */
	char *upper;
	char *work;

	SB_ARRAY(struct sb_step_mount) mounts; /* in the order in which they are made */

	/* Borrowed. layers_fd is a detached mount: overlayfs takes layers only from mounts of the
	 * namespace that it is mounted in, so the step attaches it in its own. */
	int layers_fd;
	int stdin_fd; /* or -1: nothing to read */
	int stdout_fd;
	int stderr_fd;
	/* A channel (sys/channel.h) in place of the three: the program's streams are a terminal of
	 * its own, and the other end of that is sent through it. Or -1. */
	int terminal_fd;
	unsigned short terminal_rows; /* 0: unknown */
	unsigned short terminal_columns;
};

#define SB_STEP_SPEC_INIT \
	{ \
		.layers_fd = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, \
		.terminal_fd = -1, .shm_bytes = 64 << 20 \
	}

/* Frees what the spec owns; its descriptors are borrowed and stay open. */
void sb_step_spec_release(struct sb_step_spec *spec);

/* fds has room for SB_CHANNEL_MAX_FDS and gets the spec's descriptors in message order. */
int sb_step_spec_encode(const struct sb_step_spec *spec, struct sb_buf *out, int *fds,
	size_t *out_n_fds, struct sb_error *err) SB_MUST_USE;
/* Strings are copied; descriptors are taken from fds and stay owned by the caller. SB_E_BUG for a
 * message that does not fit. */
int sb_step_spec_decode(const char *bytes, size_t len, const int *fds, size_t n_fds,
	struct sb_step_spec *out, struct sb_error *err) SB_MUST_USE;

/* How a step ended: what safebuild-step answers. */
struct sb_step_result {
	bool has_run;  /* false: it could not be set up or its program not be started; message says
			  why */
	int status;    /* exit status, or 128 + signal */
	int signal;    /* that killed it, or 0 */
	char *message; /* owned, or NULL */
};
void sb_step_result_release(struct sb_step_result *result);
/* An error as a result's message: its text and, after a newline, its hint. Caller frees. */
char *sb_step_result_text(const struct sb_error *err);
int sb_step_result_encode(
	const struct sb_step_result *result, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;
int sb_step_result_decode(const char *bytes, size_t len, struct sb_step_result *out,
	struct sb_error *err) SB_MUST_USE;

#endif
