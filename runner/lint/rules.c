/* SPDX-License-Identifier: MIT */
#include "lint/rules.h"

#include <strings.h>

#define ERROR SB_SEVERITY_ERROR
#define WARNING SB_SEVERITY_WARNING
#define INFO SB_SEVERITY_INFO

/*
 * All rules. A new one is an entry here and a function in a rules_*.c. Those of the first part have
 * the names, and look for the same, as the checks of docker build.
 */
static const struct sb_rule rules[] = {
	{{"StageNameCasing", WARNING, false,
		 "Names of stages are compared in lower case, so another spelling misleads.",
		 "Write the stage's name in lower case."},
		sb_rule_stage_name_casing},
	{{"FromAsCasing", WARNING, false, "Two keywords of one line in two cases read badly.",
		 "Write FROM and AS in the same case."},
		sb_rule_from_as_casing},
	{{"NoEmptyContinuation", WARNING, false,
		 "An empty line in a continued instruction looks like its end, and will be an "
		 "error.",
		 "Remove the empty line, or make it a comment."},
		sb_rule_no_empty_continuation},
	{{"ConsistentInstructionCasing", WARNING, false,
		 "Instructions in mixed case are harder to tell from their arguments.",
		 "Write all instructions in the case that most of them have."},
		sb_rule_consistent_instruction_casing},
	{{"DuplicateStageName", WARNING, false,
		 "A name that two stages have means the later one, from there on.",
		 "Give each stage a name of its own."},
		sb_rule_duplicate_stage_name},
	{{"ReservedStageName", WARNING, false,
		 "'scratch' and 'context' mean something else where a stage's name is expected.",
		 "Give the stage another name."},
		sb_rule_reserved_stage_name},
	{{"JSONArgsRecommended", WARNING, false,
		 "In shell form the program is not process 1, and gets no signal when the "
		 "container "
		 "is stopped.",
		 "Write the command as a JSON array, or say with SHELL which shell is meant."},
		sb_rule_json_args_recommended},
	{{"MaintainerDeprecated", WARNING, false, "MAINTAINER is no longer looked at by anyone.",
		 "Use LABEL org.opencontainers.image.authors=… instead."},
		sb_rule_maintainer_deprecated},
	{{"UndefinedArgInFrom", WARNING, false,
		 "A variable that no ARG before the first FROM declares is empty there.",
		 "Declare it with ARG before the first FROM."},
		sb_rule_undefined_arg_in_from},
	{{"UndefinedVar", WARNING, false, "A variable that nothing declares is empty.",
		 "Declare it with ARG or ENV in this stage before it is used."},
		sb_rule_undefined_var},
	{{"WorkdirRelativePath", WARNING, false,
		 "A relative path depends on the base image's working directory, which may change.",
		 "Begin with an absolute path."},
		sb_rule_workdir_relative_path},
	{{"MultipleInstructionsDisallowed", WARNING, false,
		 "Of several, only the last one has an effect.",
		 "Remove the ones before the last."},
		sb_rule_multiple_instructions_disallowed},
	{{"LegacyKeyValueFormat", WARNING, false,
		 "Without '=', all of the line is one value, blanks included.",
		 "Write NAME=VALUE, with quotes where the value has blanks."},
		sb_rule_legacy_key_value_format},
	{{"InvalidBaseImagePlatform", WARNING, false,
		 "Programs of another platform do not run, or only in an emulator.",
		 "Use an image for the platform, or build for the image's with --platform."},
		sb_rule_invalid_base_image_platform},
	{{"RedundantTargetPlatform", WARNING, false,
		 "The target's platform is what FROM takes in any case.", "Leave --platform out."},
		sb_rule_redundant_target_platform},
	{{"SecretsUsedInArgOrEnv", WARNING, false,
		 "Values of ENV are in the image for all to read, and those of ARG in its history "
		 "or cache.",
		 "Use RUN --mount=type=secret for the steps that need it."},
		sb_rule_secrets_used_in_arg_or_env},
	{{"InvalidDefaultArgInFrom", WARNING, false,
		 "Without a build argument, the base image has no valid name.",
		 "Give the ARG a default that makes one."},
		sb_rule_invalid_default_arg_in_from},
	{{"FromPlatformFlagConstDisallowed", WARNING, false,
		 "A platform that is written down makes the image the wrong one everywhere else.",
		 "Leave --platform out, use a variable, or name the platform in the stage's name."},
		sb_rule_from_platform_flag_const},
	{{"CopyIgnoredFile", WARNING, false,
		 "What the ignore file leaves out is not in the build context, so the copy fails.",
		 "Take the pattern out of the ignore file, or don't copy the file."},
		sb_rule_copy_ignored_file},
	{{"ExposeProtoCasing", WARNING, false, "Protocols are in lower case in the image.",
		 "Write tcp, udp or sctp."},
		sb_rule_expose_proto_casing},
	{{"ExposeInvalidFormat", WARNING, false,
		 "EXPOSE names ports of the container; addresses and ports of the host are left "
		 "out.",
		 "Write the container's port alone, and map it where the container is started."},
		sb_rule_expose_invalid_format},
	{{"InvalidDefinitionDescription", WARNING, true,
		 "A comment right above ARG or FROM is shown as its description.",
		 "Begin it with the name, or put an empty line below the comment."},
		sb_rule_invalid_definition_description},

	{{"SecretCopiedThenRemoved", ERROR, false,
		 "A layer can't be undone: who has the image can read the file out of the layer "
		 "that "
		 "it was copied in.",
		 "Don't copy it: use RUN --mount=type=secret in the step that needs it."},
		sb_rule_secret_copied_then_removed},
	{{"SecretFileCopied", WARNING, false,
		 "A file with such a name holds a secret more often than not, and everyone who has "
		 "the image has the file.",
		 "Use RUN --mount=type=secret, or give the file when the container is started."},
		sb_rule_secret_file_copied},
	{{"SecretValue", ERROR, false,
		 "What stands in a Buildfile is in its repository, and most of it in the image "
		 "too.",
		 "Revoke it, and use RUN --mount=type=secret."},
		sb_rule_secret_value},
	{{"CopiedThenRemoved", WARNING, false,
		 "Removing a file in a later step hides it; its bytes stay in the image.",
		 "Use RUN --mount=type=bind for files that a step only reads, or another stage."},
		sb_rule_copied_then_removed},
	{{"PackageCacheLeft", WARNING, false,
		 "The package manager's cache becomes part of the layer, and no one uses it again.",
		 "Remove it in the same RUN, or keep it out of the layer with --mount=type=cache."},
		sb_rule_package_cache_left},
	{{"RunsAsRoot", WARNING, false,
		 "Who breaks into the program is root in the container, one fault away from the "
		 "host.",
		 "End with USER and a name or number that is not root's."},
		sb_rule_runs_as_root},
	{{"CopyAllWithoutIgnoreFile", WARNING, false,
		 "Everything in the folder gets into the image: .git, .env, keys, build results.",
		 "Add a .dockerignore, or copy the files by name."},
		sb_rule_copy_all_without_ignore_file},
	{{"UnpinnedBaseImage", WARNING, false, "The same Buildfile gives another image tomorrow.",
		 "Name a version, and best its digest: NAME:VERSION@sha256:…"},
		sb_rule_unpinned_base_image},
	{{"BaseImageWithoutDigest", INFO, false, "A tag can be moved to other content at any time.",
		 "Add the digest: NAME:VERSION@sha256:…"},
		sb_rule_base_image_without_digest},
	{{"RemoteAddWithoutChecksum", WARNING, false,
		 "Whoever has the server, or the way to it, decides what gets into the image.",
		 "Add --checksum=sha256:…, or the commit of a git repository."},
		sb_rule_remote_add_without_checksum},
	{{"PipeToShell", WARNING, false,
		 "Whoever has the server runs commands in your build, and half a download runs "
		 "too.",
		 "Fetch it to a file, check its digest, then run it; or ADD --checksum=…"},
		sb_rule_pipe_to_shell},
	{{"TlsVerificationOff", WARNING, false,
		 "Without checking who answers, anyone on the way can put in what he likes.",
		 "Install ca-certificates or the right certificate, and leave the option out."},
		sb_rule_tls_verification_off},
	{{"WorldWritable", WARNING, false,
		 "Files that everyone can write let any process in the container change the "
		 "program.",
		 "Give the files to the user who needs them, with --chown or a narrower mode."},
		sb_rule_world_writable},
	{{"SudoInRun", WARNING, false,
		 "Steps run as USER; a program that makes root of it stays in the image.",
		 "Set USER root for the steps that need it, and go back behind them."},
		sb_rule_sudo_in_run},
	{{"AptInstallsRecommended", INFO, false,
		 "Recommended packages are not needed by what is installed, and are often larger.",
		 "Add --no-install-recommends."},
		sb_rule_apt_installs_recommended},
	{{"AptWithoutYes", WARNING, false, "A build can't answer: apt ends the step when it asks.",
		 "Add -y."},
		sb_rule_apt_without_yes},
	{{"AptUpdateAlone", WARNING, false,
		 "The lists are cached as a layer: a later install asks for packages that are "
		 "gone.",
		 "Put update and install into one RUN."},
		sb_rule_apt_update_alone},
	{{"CdHasNoEffect", WARNING, false,
		 "Each RUN begins in WORKDIR again: a cd at its end is lost.", "Use WORKDIR."},
		sb_rule_cd_has_no_effect},
	{{"UnknownRule", WARNING, false, "A waiver for a rule that is not there waives nothing.",
		 "Correct the name, or remove it."},
		sb_rule_unknown_rule},
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

size_t sb_lint_rule_count(void)
{
	return N_RULES;
}

const struct sb_rule *sb_rule_at(size_t i)
{
	return i < N_RULES ? &rules[i] : NULL;
}

const struct sb_lint_rule *sb_lint_rule_at(size_t i)
{
	return i < N_RULES ? &rules[i].info : NULL;
}

const struct sb_lint_rule *sb_lint_rule_find(const char *name)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (strcasecmp(rules[i].info.name, name) == 0)
			return &rules[i].info;
	return NULL;
}
