/* SPDX-License-Identifier: MIT */
#include "plan/args.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "buildfile/expand.h"

static const char *build_arg(const struct sb_plan_options *options, const char *name)
{
	return options->build_args != NULL ? sb_env_get(options->build_args, name) : NULL;
}

static void add_predefined(const struct sb_plan_options *options, struct sb_strv *args,
	const char *prefix, const char *suffix, const char *value)
{
	sb_autofree char *name = sb_asprintf("%s%s", prefix, suffix);
	const char *given = build_arg(options, name);

	sb_env_set(args, name, given != NULL ? given : value);
}

static void add_platform(const struct sb_plan_options *options, struct sb_strv *args,
	const char *prefix, const struct sb_platform *platform)
{
	sb_autofree char *text = sb_platform_format(platform);

	add_predefined(options, args, prefix, "PLATFORM", text);
	add_predefined(options, args, prefix, "OS", platform->os);
	add_predefined(options, args, prefix, "OSVERSION", "");
	add_predefined(options, args, prefix, "ARCH", platform->architecture);
	add_predefined(options, args, prefix, "VARIANT", platform->variant);
}

static const char *target_name(
	const struct sb_buildfile *buildfile, const struct sb_plan_options *options)
{
	const char *name = NULL;

	if (options->target != NULL && options->target[0] != '\0')
		return options->target;
	SB_ARRAY_FOREACH (&buildfile->instructions, instr)
		if (instr->kind == SB_INSTR_FROM)
			name = instr->name;
	return name != NULL ? name : "default";
}

static int add_arg(const struct sb_buildfile *buildfile, const struct sb_plan_options *options,
	const struct sb_pair *pair, struct sb_strv *args, struct sb_error *err)
{
	const char *given = build_arg(options, pair->key);
	sb_autofree char *value = NULL;

	if (given != NULL) {
		sb_env_set(args, pair->key, given);
		return 0;
	}
	if (pair->value == NULL)
		return 0;
	if (sb_expand_word(pair->value, args, buildfile->escape, &value, err) < 0) {
		(void)sb_error_about(err, pair->value);
		return sb_error_context(err, "ARG %s", pair->key);
	}
	sb_env_set(args, pair->key, value);
	return 0;
}

int sb_plan_global_args(const struct sb_buildfile *buildfile, const struct sb_plan_options *options,
	struct sb_strv *out, struct sb_error *err)
{
	add_platform(options, out, "BUILD", &options->build_platform);
	add_platform(options, out, "TARGET", &options->target_platform);
	add_predefined(options, out, "TARGET", "STAGE", target_name(buildfile, options));
	SB_ARRAY_FOREACH (&buildfile->instructions, instr) {
		if (instr->kind == SB_INSTR_FROM)
			break;
		SB_ARRAY_FOREACH (&instr->pairs, pair)
			if (add_arg(buildfile, options, pair, out, err) < 0)
				return sb_error_locate(err, instr->at);
	}
	return 0;
}

static bool declares(const struct sb_instruction *instr, const char *name)
{
	if (instr->trigger != NULL)
		return declares(instr->trigger, name);
	if (instr->kind != SB_INSTR_ARG)
		return false;
	SB_ARRAY_FOREACH (&instr->pairs, pair)
		if (strcmp(pair->key, name) == 0)
			return true;
	return false;
}

static bool is_declared(const struct sb_buildfile *buildfile, const char *name)
{
	SB_ARRAY_FOREACH (&buildfile->instructions, instr)
		if (declares(instr, name))
			return true;
	return false;
}

static bool is_predefined(const char *name)
{
	static const char *const proxies[] = {
		"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"};
	static const char *const prefixes[] = {"BUILDKIT_", "TARGETPLATFORM", "TARGETOS",
		"TARGETARCH", "TARGETVARIANT", "TARGETSTAGE", "BUILDPLATFORM", "BUILDOS",
		"BUILDARCH", "BUILDVARIANT", "SOURCE_DATE_EPOCH"};

	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		if (strcasecmp(name, proxies[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

void sb_args_unused(
	const struct sb_buildfile *buildfile, const struct sb_strv *build_args, struct sb_strv *out)
{
	for (size_t i = 0; i < build_args->len; i++) {
		const char *item = build_args->items[i];
		sb_autofree char *name = sb_memdup0(item, strcspn(item, "="));

		if (!is_predefined(name) && !is_declared(buildfile, name))
			sb_strv_add_nodup(out, SB_STEAL(name));
	}
}

const char *sb_args_get_proxy(const struct sb_strv *build_args, const char *name)
{
	const char *exact = sb_env_get(build_args, name);
	const size_t len = strlen(name);

	for (size_t i = 0; exact == NULL && i < build_args->len; i++)
		if (strncasecmp(build_args->items[i], name, len) == 0 &&
			build_args->items[i][len] == '=')
			exact = build_args->items[i] + len + 1;
	return exact;
}
