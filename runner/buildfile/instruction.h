/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_INSTRUCTION_H
#define SB_BUILDFILE_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

/*
 * A Buildfile as typed instructions. Nothing is expanded here: words keep their `$variables` and
 * quotes, since their values depend on the stage that is being built; buildfile/expand.h does that.
 *
 * All strings are owned by the buildfile; positions point into it.
 */

enum sb_instruction_kind {
	SB_INSTR_FROM,
	SB_INSTR_RUN,
	SB_INSTR_COPY,
	SB_INSTR_ADD,
	SB_INSTR_ENV,
	SB_INSTR_ARG,
	SB_INSTR_WORKDIR,
	SB_INSTR_USER,
	SB_INSTR_LABEL,
	SB_INSTR_ENTRYPOINT,
	SB_INSTR_CMD,
	SB_INSTR_EXPOSE,
	SB_INSTR_VOLUME,
	SB_INSTR_STOPSIGNAL,
	SB_INSTR_SHELL,
	SB_INSTR_HEALTHCHECK,
	SB_INSTR_ONBUILD,
	SB_INSTR_MAINTAINER,
};

struct sb_heredoc {
	char *name; /* the terminator, unquoted: also the file's name in COPY <<NAME */
	char *body; /* tabs already stripped for <<- */
	size_t len;
	bool is_quoted; /* no expansion by the builder */
	unsigned fd;    /* the digit before <<, 0 where none */
};
SB_ARRAY_STRUCT(sb_heredocs, struct sb_heredoc);

/* KEY=VALUE words of ENV, LABEL and ARG, in order, unexpanded; value is NULL for `ARG name`. */
struct sb_pair {
	char *key;
	char *value;
};
SB_ARRAY_STRUCT(sb_pairs, struct sb_pair);

/* A command in exec form (JSON) or shell form: `shell` is the text as written, continuation lines
 * joined. */
struct sb_command {
	bool is_exec;
	struct sb_strv exec;
	char *shell;
};

enum sb_mount_type { SB_MOUNT_BIND, SB_MOUNT_CACHE, SB_MOUNT_TMPFS, SB_MOUNT_SECRET, SB_MOUNT_SSH };
enum sb_sharing { SB_SHARING_SHARED, SB_SHARING_PRIVATE, SB_SHARING_LOCKED };

/* One RUN --mount, parsed by sb_mount_parse from its expanded text. NULL: not given. */
struct sb_mount_flag {
	enum sb_mount_type type;
	char *target;
	char *source;
	char *from;
	char *id;
	char *env;
	bool is_readonly;
	bool is_required;
	bool has_mode, has_uid, has_gid;
	uint32_t mode, uid, gid;
	uint64_t size_bytes; /* tmpfs; 0: no limit of its own */
	enum sb_sharing sharing;
};
void sb_mount_flag_release(struct sb_mount_flag *mount);

struct sb_instruction {
	enum sb_instruction_kind kind;
	struct sb_source_pos at; /* of the instruction's name; file borrowed from the buildfile */
	unsigned end_line;
	char *text; /* the whole instruction as one line for people: continuations joined by one
		       blank */
	struct sb_heredocs heredocs;

	/* Flags as written ("--mount=…" → name "mount", value), in order; values unexpanded, NULL
	 * for a bare flag. Names and duplicates are checked by the parser. */
	struct sb_pairs flags;

	/* Arguments, by kind:
	 * COPY ADD              words: sources then destination (heredoc sources as "<<NAME"),
	 * is_json for the JSON form EXPOSE VOLUME         words WORKDIR USER STOPSIGNAL MAINTAINER
	 * words[0], the rest of the line FROM                  words[0] the image; name for AS ENV
	 * LABEL ARG         pairs RUN CMD ENTRYPOINT    command;  SHELL  command.exec HEALTHCHECK
	 * is_none, or command ONBUILD               trigger: the instruction inside, whose text is
	 * what the config stores */
	struct sb_strv words;
	bool is_json;
	char *name; /* lower-cased stage name, or NULL */
	struct sb_pairs pairs;
	struct sb_command command;
	bool is_none;
	struct sb_instruction *trigger;
};

/* The first flag of that name's value ("" for a bare one), or NULL. Borrowed. */
const char *sb_instruction_flag(const struct sb_instruction *instr, const char *name);
/* Of a flag that is true or false: "--link" and "--link=true" are true. */
bool sb_instruction_flag_is_true(const struct sb_instruction *instr, const char *name);
void sb_instruction_release(struct sb_instruction *instr);
/* "RUN", … Static. */
const char *sb_instruction_name(enum sb_instruction_kind kind);

struct sb_buildfile {
	char *file; /* as messages name it */
	char *text; /* the source, for excerpts */
	size_t len;
	char escape; /* '\\' or '`' */
	char *check; /* value of the check directive as written ("skip=A,B;error=true"), or NULL */
	unsigned check_line;
	SB_ARRAY(struct sb_instruction) instructions;
};

/* `file` is used in messages only. Errors are SB_E_SYNTAX with a position; SB_E_LIMIT;
 * SB_E_UNSUPPORTED names what is legal and not there yet. */
int sb_buildfile_parse(const char *file, const char *text, size_t len, struct sb_buildfile **out,
	struct sb_error *err) SB_MUST_USE;
void sb_buildfile_free(struct sb_buildfile *buildfile);
SB_DEFINE_FREEP(sb_buildfile)

/* An ONBUILD trigger's text from a base image's config, parsed as one instruction of a Buildfile.
 */
int sb_buildfile_parse_trigger(
	const char *text, struct sb_buildfile **out, struct sb_error *err) SB_MUST_USE;

/* --mount's value, already expanded. workdir makes relative targets absolute. Not located. */
int sb_mount_parse(const char *text, const char *workdir, struct sb_mount_flag *out,
	struct sb_error *err) SB_MUST_USE;

#endif
