/* SPDX-License-Identifier: MIT */
#include <strings.h>

#include "buildfile/parser.h"

static const struct sb_flag_def from_flags[] = {{"platform", SB_FLAG_STRING}, {NULL}};
static const struct sb_flag_def run_flags[] = {
	{"mount", SB_FLAG_LIST},
	{"network", SB_FLAG_STRING},
	{"security", SB_FLAG_STRING},
	{"device", SB_FLAG_LIST},
	{NULL},
};
static const struct sb_flag_def copy_flags[] = {
	{"from", SB_FLAG_STRING},
	{"chown", SB_FLAG_STRING},
	{"chmod", SB_FLAG_STRING},
	{"link", SB_FLAG_BOOL},
	{"parents", SB_FLAG_BOOL},
	{"exclude", SB_FLAG_LIST},
	{NULL},
};
static const struct sb_flag_def add_flags[] = {
	{"chown", SB_FLAG_STRING},
	{"chmod", SB_FLAG_STRING},
	{"link", SB_FLAG_BOOL},
	{"checksum", SB_FLAG_STRING},
	{"keep-git-dir", SB_FLAG_BOOL},
	{"unpack", SB_FLAG_BOOL},
	{"exclude", SB_FLAG_LIST},
	{NULL},
};
static const struct sb_flag_def healthcheck_flags[] = {
	{"interval", SB_FLAG_STRING},
	{"timeout", SB_FLAG_STRING},
	{"start-period", SB_FLAG_STRING},
	{"start-interval", SB_FLAG_STRING},
	{"retries", SB_FLAG_STRING},
	{NULL},
};
/* What looks like a flag is an error for every instruction, also for one that has none. */
static const struct sb_flag_def no_flags[] = {{NULL}};

static const struct sb_instr_def defs[] = {
	[SB_INSTR_FROM] = {"FROM", SB_INSTR_FROM, from_flags, sb_parse_from},
	[SB_INSTR_RUN] = {"RUN", SB_INSTR_RUN, run_flags, sb_parse_run},
	[SB_INSTR_COPY] = {"COPY", SB_INSTR_COPY, copy_flags, sb_parse_copy},
	[SB_INSTR_ADD] = {"ADD", SB_INSTR_ADD, add_flags, sb_parse_copy},
	[SB_INSTR_ENV] = {"ENV", SB_INSTR_ENV, no_flags, sb_parse_pairs},
	[SB_INSTR_ARG] = {"ARG", SB_INSTR_ARG, no_flags, sb_parse_arg},
	[SB_INSTR_WORKDIR] = {"WORKDIR", SB_INSTR_WORKDIR, no_flags, sb_parse_line},
	[SB_INSTR_USER] = {"USER", SB_INSTR_USER, no_flags, sb_parse_line},
	[SB_INSTR_LABEL] = {"LABEL", SB_INSTR_LABEL, no_flags, sb_parse_pairs},
	[SB_INSTR_ENTRYPOINT] = {"ENTRYPOINT", SB_INSTR_ENTRYPOINT, no_flags, sb_parse_command},
	[SB_INSTR_CMD] = {"CMD", SB_INSTR_CMD, no_flags, sb_parse_command},
	[SB_INSTR_EXPOSE] = {"EXPOSE", SB_INSTR_EXPOSE, no_flags, sb_parse_words},
	[SB_INSTR_VOLUME] = {"VOLUME", SB_INSTR_VOLUME, no_flags, sb_parse_volume},
	[SB_INSTR_STOPSIGNAL] = {"STOPSIGNAL", SB_INSTR_STOPSIGNAL, no_flags, sb_parse_line},
	[SB_INSTR_SHELL] = {"SHELL", SB_INSTR_SHELL, no_flags, sb_parse_shell},
	[SB_INSTR_HEALTHCHECK] = {"HEALTHCHECK", SB_INSTR_HEALTHCHECK, healthcheck_flags,
		sb_parse_healthcheck},
	[SB_INSTR_ONBUILD] = {"ONBUILD", SB_INSTR_ONBUILD, no_flags, sb_parse_onbuild},
	[SB_INSTR_MAINTAINER] = {"MAINTAINER", SB_INSTR_MAINTAINER, no_flags, sb_parse_line},
};
enum { N_DEFS = sizeof(defs) / sizeof(defs[0]) };

const struct sb_instr_def *sb_instr_def_of(enum sb_instruction_kind kind)
{
	SB_BUG_ON((size_t)kind >= N_DEFS);
	return &defs[kind];
}

const struct sb_instr_def *sb_instr_def_find(const char *name)
{
	for (size_t i = 0; i < N_DEFS; i++)
		if (strcasecmp(defs[i].name, name) == 0)
			return &defs[i];
	return NULL;
}

const char *sb_instruction_name(enum sb_instruction_kind kind)
{
	return sb_instr_def_of(kind)->name;
}
