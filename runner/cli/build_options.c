/* SPDX-License-Identifier: MIT */
#include "cli/build_options.h"

#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "cli/store_options.h"

const struct sb_build_fields sb_build_defaults = {.source_date_epoch = -1};

static int parse_build_arg(void *field, const char *value, struct sb_error *err)
{
	if (value[0] == '\0' || value[0] == '=')
		return sb_fail(err, SB_E_USAGE,
			"the name is missing: NAME=VALUE, or NAME for the "
			"environment's value");
	sb_strv_add(field, value);
	return 0;
}

/* docker's reading: a label without a value has an empty one. */
static int parse_label(void *field, const char *value, struct sb_error *err)
{
	if (value[0] == '\0' || value[0] == '=')
		return sb_fail(err, SB_E_USAGE, "the key is missing: KEY=VALUE");
	sb_strv_addf(field, "%s%s", value, strchr(value, '=') != NULL ? "" : "=");
	return 0;
}

static int parse_build_context(void *field, const char *value, struct sb_error *err)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value || equals[1] == '\0')
		return sb_fail(err, SB_E_USAGE, "'%s' is not of the form NAME=PATH", value);
	sb_strv_add(field, value);
	return 0;
}

static int parse_add_host(void *field, const char *value, struct sb_error *err)
{
	const size_t name_len = strcspn(value, ":=");

	if (name_len == 0 || value[name_len] == '\0' || value[name_len + 1] == '\0')
		return sb_fail(err, SB_E_USAGE, "'%s' is not of the form NAME:IP", value);
	sb_strv_add(field, value);
	return 0;
}

int sb_network_option_parse(void *field, const char *value, struct sb_error *err)
{
	static const char *const known[] = {"default", "none", "host"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], value) == 0) {
			*(const char **)field = known[i];
			return 0;
		}
	}
	return sb_fail(err, SB_E_USAGE, "unknown network '%s': it is default, none or host", value);
}

static int parse_epoch(void *field, const char *value, struct sb_error *err)
{
	uint64_t seconds = 0;

	if (!sb_number_parse(value, 10, INT64_MAX, &seconds))
		return sb_fail(
			err, SB_E_USAGE, "'%s' is not a number of seconds since 1970", value);
	*(int64_t *)field = (int64_t)seconds;
	return 0;
}

static int parse_jobs(void *field, const char *value, struct sb_error *err)
{
	uint64_t *jobs = field;

	if (!sb_number_parse(value, 10, UINT32_MAX, jobs) || *jobs == 0)
		return sb_fail(err, SB_E_USAGE, "'%s' is not a number from 1", value);
	return 0;
}

static int parse_no_cache_filter(void *field, const char *value, struct sb_error *err)
{
	sb_autofree char *copy = sb_strdup(value);

	for (char *saved = NULL, *stage = strtok_r(copy, ",", &saved); stage != NULL;
		stage = strtok_r(NULL, ",", &saved))
		sb_strv_add(field, stage);
	if (value[strspn(value, ",")] == '\0')
		return sb_fail(err, SB_E_USAGE, "the name of a stage is missing");
	return 0;
}

/* Several, and the option more than once, as buildx takes them. */
static int parse_platforms(void *field, const char *value, struct sb_error *err)
{
	for (const char *p = value;; p++) {
		const size_t len = strcspn(p, ",");

		if (len == 0)
			return sb_fail(err, SB_E_USAGE, "a platform is missing in '%s'", value);
		sb_strv_add_nodup(field, sb_memdup0(p, len));
		p += len;
		if (*p == '\0')
			return 0;
	}
}

static int parse_tag(void *field, const char *value, struct sb_error *err)
{
	if (value[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "the name is empty");
	sb_strv_add(field, value);
	return 0;
}

#define FIELD(name) offsetof(struct sb_build_fields, name)

const struct sb_option sb_build_options_table[] = {
	{"", 0, SB_OPTION_GROUP, NULL, 0, "What is built", NULL},
	{"file", 'f', SB_OPTION_TEXT, "FILE", FIELD(file),
		"the Buildfile, '-' for standard input (default: Buildfile, then Dockerfile, in "
		"CONTEXT)",
		NULL},
	{"target", 0, SB_OPTION_TEXT, "STAGE", FIELD(target), "the stage to build", NULL},
	{"platform", 0, SB_OPTION_PARSED, "OS/ARCH[,...]", FIELD(platforms),
		"the platform to build for (default: the host's); of several, the image is an "
		"index",
		parse_platforms},
	{"build-arg", 0, SB_OPTION_PARSED, "NAME[=VALUE]", FIELD(build_args),
		"a value for ARG; without =VALUE the environment's (repeatable; never for a "
		"secret)",
		parse_build_arg},
	{"build-context", 0, SB_OPTION_PARSED, "NAME=PATH|URL", FIELD(build_contexts),
		"another folder, image or repository for FROM and --from (repeatable)",
		parse_build_context},
	{"label", 0, SB_OPTION_PARSED, "KEY=VALUE", FIELD(labels), "a label (repeatable)",
		parse_label},
	{"source-date-epoch", 0, SB_OPTION_PARSED, "SECONDS", FIELD(source_date_epoch),
		"the time in the image, for the same bytes each time (default: "
		"$SOURCE_DATE_EPOCH)",
		parse_epoch},

	{"", 0, SB_OPTION_GROUP, NULL, 0, "Secrets and keys", NULL},
	{"secret", 0, SB_OPTION_PARSED, "SPEC", FIELD(secrets),
		"id=ID[,src=FILE|,env=VAR][,rekey=true]: for RUN --mount=type=secret,id=ID; no "
		"layer may hold it (repeatable)",
		sb_secret_option_parse},
	{"ssh", 0, SB_OPTION_PARSED, "SPEC", FIELD(ssh),
		"ID[=SOCKET|=KEY,...][,raw=true]: for RUN --mount=type=ssh,id=ID; 'default' is "
		"the agent of $SSH_AUTH_SOCK (repeatable)",
		sb_ssh_option_parse},

	{"", 0, SB_OPTION_GROUP, NULL, 0, "Where it goes", NULL},
	{"tag", 't', SB_OPTION_PARSED, "NAME[:TAG]", FIELD(tags), "a name (repeatable)", parse_tag},
	{"output", 'o', SB_OPTION_PARSED, "SPEC", FIELD(outputs),
		"PATH, or type=oci|docker|tar|local|store|registry [,dest=PATH|-] [,name=NAME] "
		"[,tar=false] [,compression=gzip|zstd|uncompressed] [,compression-level=N] "
		"[,force-compression=true] [,attest=true] (repeatable; default: the store)",
		sb_output_option_parse},
	{"push", 0, SB_OPTION_FLAG, NULL, FIELD(push), "to the registry of each --tag", NULL},
	SB_OPTION_ROW_AUTH(struct sb_build_fields, auth_file),
	{"squash", 0, SB_OPTION_FLAG, NULL, FIELD(squash),
		"make the layers that are put on the base one", NULL},
	{"iidfile", 0, SB_OPTION_TEXT, "FILE", FIELD(iidfile), "write the image's digest to FILE",
		NULL},
	{"metadata-file", 0, SB_OPTION_TEXT, "FILE", FIELD(metadata_file),
		"write what was built to FILE, as JSON", NULL},
	{"verify", 0, SB_OPTION_FLAG, NULL, FIELD(verify),
		"search the finished image, its base too, for the secrets before it goes anywhere; "
		"the record is written beside it",
		NULL},
	{"verification-file", 0, SB_OPTION_TEXT, "FILE", FIELD(verification_file),
		"the same, with the record in FILE, as JSON", NULL},
	SB_OPTION_ROW_ROOT(struct sb_build_fields, root),

	{"", 0, SB_OPTION_GROUP, NULL, 0, "How steps run", NULL},
	{"network", 0, SB_OPTION_PARSED, "MODE", FIELD(network), "default, none or host",
		sb_network_option_parse},
	{"add-host", 0, SB_OPTION_PARSED, "NAME:IP", FIELD(add_hosts),
		"a line of /etc/hosts (repeatable)", parse_add_host},
	{"shm-size", 0, SB_OPTION_TEXT, "SIZE", FIELD(shm_size), "of /dev/shm (default: 64m)",
		NULL},
	{"strict", 0, SB_OPTION_FLAG, NULL, FIELD(is_strict),
		"no step gains privileges (no_new_privs): sudo and su don't work", NULL},
	{"pull", 0, SB_OPTION_FLAG, NULL, FIELD(pull),
		"ask the registry also for what the store has", NULL},
	{"no-cache", 0, SB_OPTION_FLAG, NULL, FIELD(no_cache), "run every step", NULL},
	{"no-cache-filter", 0, SB_OPTION_PARSED, "STAGE[,STAGE]", FIELD(no_cache_filter),
		"run every step of these stages (repeatable)", parse_no_cache_filter},
	{"cache-from", 0, SB_OPTION_PARSED, "SPEC", FIELD(cache_from),
		"REF, or type=registry,ref=REF|type=local,src=FOLDER [,tag=TAG] [,digest=DIGEST]: "
		"take steps from there that the store does not have (repeatable)",
		sb_cache_from_parse},
	{"cache-to", 0, SB_OPTION_PARSED, "SPEC", FIELD(cache_to),
		"REF, or type=registry,ref=REF|type=local,dest=FOLDER [,tag=TAG] [,mode=min|max] "
		"[,image-manifest=false] [,oci-mediatypes=false] "
		"[,compression=gzip|zstd|uncompressed] [,compression-level=N] "
		"[,ignore-error=true]: write the steps of this build there (repeatable)",
		sb_cache_to_parse},
	{"jobs", 0, SB_OPTION_PARSED, "N", FIELD(jobs), "stages at a time, at most", parse_jobs},
	{"check", 0, SB_OPTION_FLAG, NULL, FIELD(check_only),
		"read the Buildfile, resolve and lint it, run nothing", NULL},
	{"plan", 0, SB_OPTION_FLAG, NULL, FIELD(plan_only),
		"print stages and steps with their keys and what is cached, run nothing; JSON "
		"with --progress json",
		NULL},
	{"fail-on", 0, SB_OPTION_PARSED, "SEVERITY", FIELD(fail_on),
		"with --check, exit with status 1 from here on: error, warning (default), info; or "
		"never",
		sb_fail_on_parse},

	{"", 0, SB_OPTION_GROUP, NULL, 0, "What is shown", NULL},
	{"progress", 0, SB_OPTION_TEXT, "FORM", FIELD(progress),
		"auto (default), tty, plain, json, quiet", NULL},
	{"quiet", 'q', SB_OPTION_FLAG, NULL, FIELD(is_quiet), "only the digest, on standard output",
		NULL},

	{"annotation", 0, SB_OPTION_ABSENT, NULL, 0, "--label sets a label", NULL},
	{"ulimit", 0, SB_OPTION_ABSENT, NULL, 0,
		"the limits of the shell that starts safebuild hold in its steps: see ulimit there",
		NULL},
	{"memory", 'm', SB_OPTION_ABSENT, NULL, 0,
		"limit the whole build: systemd-run --user --scope -p MemoryMax=2G safebuild ...",
		NULL},
	{"pids-limit", 0, SB_OPTION_ABSENT, NULL, 0,
		"limit the whole build: systemd-run --user --scope -p TasksMax=500 safebuild ...",
		NULL},
	{"keep-failed", 0, SB_OPTION_ABSENT, NULL, 0, NULL, NULL},
	{"load", 0, SB_OPTION_ABSENT, NULL, 0,
		"-o type=docker,dest=- writes an archive for docker load", NULL},
	{"allow", 0, SB_OPTION_ABSENT, NULL, 0, "--network host needs no leave", NULL},
	{"rm", 0, SB_OPTION_ABSENT, NULL, 0, "leave it out: no step leaves anything to remove",
		NULL},
	{"force-rm", 0, SB_OPTION_ABSENT, NULL, 0,
		"leave it out: no step leaves anything to remove", NULL},
	{"call", 0, SB_OPTION_ABSENT, NULL, 0, "--check lints the Buildfile", NULL},
	{"sbom", 0, SB_OPTION_ABSENT, NULL, 0, NULL, NULL},
	{"provenance", 0, SB_OPTION_ABSENT, NULL, 0, NULL, NULL},
	SB_OPTION_ROW_END,
};

void sb_build_fields_release(void *fields)
{
	struct sb_build_fields *f = fields;

	sb_strv_release(&f->platforms);
	sb_strv_release(&f->tags);
	sb_strv_release(&f->build_args);
	sb_strv_release(&f->build_contexts);
	sb_strv_release(&f->labels);
	sb_strv_release(&f->add_hosts);
	sb_strv_release(&f->no_cache_filter);
	sb_secret_list_release(&f->secrets);
	sb_ssh_list_release(&f->ssh);
	sb_output_list_release(&f->outputs);
	sb_cache_list_release(&f->cache_from);
	sb_cache_list_release(&f->cache_to);
}
