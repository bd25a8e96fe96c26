/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILDFILE_PARSER_H
#define SB_BUILDFILE_PARSER_H

#include "buildfile/flags.h"
#include "buildfile/instruction.h"
#include "buildfile/logical.h"
#include "buildfile/source.h"
#include "buildfile/words.h"

/*
 * What the instr_*.c files share: the parser at one instruction. A parse function gets the
 * instruction with kind, place, text and flags filled in, reads its arguments, which are `args`
 * (NUL-terminated, no blanks at either end, "" for none), and fills in the rest.
 */
struct sb_parser {
	struct sb_source
		source; /* behind the instruction's line: heredoc bodies are read from it */
	struct sb_logical line;
	char escape;
	const char *name; /* the instruction's, as messages name it */
	const char *args;
	size_t args_len;
	size_t args_offset; /* of args in the line */
};

typedef int (*sb_instr_parse_fn)(
	struct sb_parser *parser, struct sb_instruction *instr, struct sb_error *err);

struct sb_instr_def {
	const char *name;
	enum sb_instruction_kind kind;
	const struct sb_flag_def *flags;
	sb_instr_parse_fn parse;
};

/* By kind, and by name in any case (NULL where there is none). Static. */
const struct sb_instr_def *sb_instr_def_of(enum sb_instruction_kind kind);
const struct sb_instr_def *sb_instr_def_find(const char *name);

/* The instruction that stands in the line at `offset`; on failure *instr is to be released too. */
int sb_parser_instruction(struct sb_parser *parser, size_t offset, struct sb_instruction *instr,
	struct sb_error *err) SB_MUST_USE;

/* Where byte `offset` of args stands in the source. */
struct sb_source_pos sb_parser_at(const struct sb_parser *parser, size_t offset);
/* A syntax error at byte `offset` of args; the message is "NAME: fmt". Returns -1. */
int sb_parser_fail(const struct sb_parser *parser, size_t offset, struct sb_error *err,
	const char *fmt, ...) SB_PRINTF(4, 5);

/* text (part of args, at `offset` in it) as a JSON array of strings, appended to *out, or else
 * *out_is_json = false. Fails on an array that holds anything but strings. */
int sb_parser_json(struct sb_parser *parser, size_t offset, struct sb_strv *out, bool *out_is_json,
	struct sb_error *err) SB_MUST_USE;
/* The bodies of all heredocs that args announce. */
int sb_parser_heredocs(
	struct sb_parser *parser, struct sb_heredocs *out, struct sb_error *err) SB_MUST_USE;

int sb_parse_from(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_run(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_command(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_shell(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_healthcheck(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_copy(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_pairs(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_arg(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_words(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_volume(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_line(struct sb_parser *, struct sb_instruction *, struct sb_error *);
int sb_parse_onbuild(struct sb_parser *, struct sb_instruction *, struct sb_error *);

#endif
