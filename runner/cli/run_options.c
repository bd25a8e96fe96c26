/* SPDX-License-Identifier: MIT */
#include "cli/run_options.h"

#include "cli/build_options.h"
#include "cli/store_options.h"

#define FIELD(name) offsetof(struct sb_run_fields, name)

const struct sb_option sb_run_options_table[] = {
	{"", 0, SB_OPTION_GROUP, NULL, 0, "What runs", NULL},
	{"entrypoint", 0, SB_OPTION_TEXT, "PROGRAM", FIELD(entrypoint),
		"in place of the image's ENTRYPOINT and CMD", NULL},
	{"env", 'e', SB_OPTION_LIST, "NAME[=VALUE]", FIELD(env),
		"a variable; without =VALUE the environment's (repeatable; for a secret use "
		"--secret)",
		NULL},
	{"env-file", 0, SB_OPTION_LIST, "FILE", FIELD(env_files),
		"variables, one a line (repeatable)", NULL},
	{"user", 'u', SB_OPTION_TEXT, "USER[:GROUP]", FIELD(user), "in place of the image's USER",
		NULL},
	{"workdir", 'w', SB_OPTION_TEXT, "DIR", FIELD(workdir), "in place of the image's WORKDIR",
		NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH", FIELD(platform),
		"of an image with several (default: the host's)", sb_platform_option_parse},
	SB_OPTION_ROW_AUTH(struct sb_run_fields, auth_file),
	SB_OPTION_ROW_ROOT(struct sb_run_fields, root),

	{"", 0, SB_OPTION_GROUP, NULL, 0, "What it sees", NULL},
	{"interactive", 'i', SB_OPTION_FLAG, NULL, FIELD(is_stdin),
		"it reads standard input; on a terminal it always does", NULL},
	{"tty", 't', SB_OPTION_FLAG, NULL, FIELD(is_terminal),
		"accepted: it has a terminal where standard input and output are one", NULL},
	{"network", 0, SB_OPTION_PARSED, "MODE", FIELD(network),
		"default: one of its own; host: this host's; none: its own loopback",
		sb_network_option_parse},
	{"publish", 'p', SB_OPTION_LIST, "[IP:]HOST:PORT", FIELD(publish),
		"a port of this host, on 127.0.0.1 where no IP is given, leads to the program's "
		"(repeatable)",
		NULL},
	{"volume", 'v', SB_OPTION_LIST, "SRC:DST[:ro]", FIELD(volumes),
		"a folder or file of this host at DST (repeatable)", NULL},
	{"secret", 0, SB_OPTION_PARSED, "SPEC", FIELD(secrets),
		"id=ID[,src=FILE|,env=VAR]: a file /run/secrets/ID, unless --mount puts it "
		"elsewhere (repeatable)",
		sb_secret_option_parse},
	{"mount", 0, SB_OPTION_LIST, "SPEC", FIELD(mounts),
		"type=secret,id=ID[,target=|,env=...] or type=tmpfs,target=PATH, as in RUN "
		"(repeatable)",
		NULL},
	{"add-host", 0, SB_OPTION_LIST, "NAME:IP", FIELD(add_hosts),
		"a line of /etc/hosts (repeatable)", NULL},
	{"hostname", 0, SB_OPTION_TEXT, "NAME", FIELD(hostname),
		"its host name (default: safebuild)", NULL},
	{"shm-size", 0, SB_OPTION_TEXT, "SIZE", FIELD(shm_size), "of /dev/shm (default: 64m)",
		NULL},
	{"strict", 0, SB_OPTION_FLAG, NULL, FIELD(is_strict),
		"it can't gain privileges (no_new_privs)", NULL},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, FIELD(is_quiet), "no notices or warnings", NULL},
	{"rm", 0, SB_OPTION_FLAG, NULL, FIELD(is_removed), "accepted: nothing stays", NULL},

	{"detach", 'd', SB_OPTION_ABSENT, NULL, 0,
		"it runs as long as the program does: put it into the background with &", NULL},
	{"name", 0, SB_OPTION_ABSENT, NULL, 0, "it has none, since nothing of it stays", NULL},
	{"privileged", 0, SB_OPTION_ABSENT, NULL, 0, "no program is given more than a build step",
		NULL},
	{"cap-add", 0, SB_OPTION_ABSENT, NULL, 0, "no program is given more than a build step",
		NULL},
	{"device", 0, SB_OPTION_ABSENT, NULL, 0, NULL, NULL},
	{"publish-all", 'P', SB_OPTION_ABSENT, NULL, 0, "-p HOST:PORT publishes one port", NULL},
	{"memory", 'm', SB_OPTION_ABSENT, NULL, 0,
		"limit it from outside: systemd-run --user --scope -p MemoryMax=2G safebuild ...",
		NULL},
	SB_OPTION_ROW_END,
};

void sb_run_fields_release(void *fields)
{
	struct sb_run_fields *f = fields;

	sb_strv_release(&f->env);
	sb_strv_release(&f->env_files);
	sb_strv_release(&f->add_hosts);
	sb_strv_release(&f->volumes);
	sb_strv_release(&f->publish);
	sb_strv_release(&f->mounts);
	sb_secret_list_release(&f->secrets);
}
