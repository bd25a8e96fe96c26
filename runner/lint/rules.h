/* SPDX-License-Identifier: MIT */
#ifndef SB_LINT_RULES_H
#define SB_LINT_RULES_H

#include "lint/linter.h"

/* The functions of the table in rules.c, each in the rules_*.c of its subject. */

/* rules_style.c */
void sb_rule_stage_name_casing(struct sb_linter *linter);
void sb_rule_from_as_casing(struct sb_linter *linter);
void sb_rule_no_empty_continuation(struct sb_linter *linter);
void sb_rule_consistent_instruction_casing(struct sb_linter *linter);
void sb_rule_maintainer_deprecated(struct sb_linter *linter);
void sb_rule_legacy_key_value_format(struct sb_linter *linter);
void sb_rule_invalid_definition_description(struct sb_linter *linter);
void sb_rule_json_args_recommended(struct sb_linter *linter);
void sb_rule_multiple_instructions_disallowed(struct sb_linter *linter);

/* rules_stage.c */
void sb_rule_duplicate_stage_name(struct sb_linter *linter);
void sb_rule_reserved_stage_name(struct sb_linter *linter);
void sb_rule_undefined_arg_in_from(struct sb_linter *linter);
void sb_rule_invalid_default_arg_in_from(struct sb_linter *linter);
void sb_rule_from_platform_flag_const(struct sb_linter *linter);
void sb_rule_redundant_target_platform(struct sb_linter *linter);
void sb_rule_invalid_base_image_platform(struct sb_linter *linter);
void sb_rule_unpinned_base_image(struct sb_linter *linter);
void sb_rule_base_image_without_digest(struct sb_linter *linter);
void sb_rule_runs_as_root(struct sb_linter *linter);

/* rules_variable.c */
void sb_rule_undefined_var(struct sb_linter *linter);
void sb_rule_secrets_used_in_arg_or_env(struct sb_linter *linter);
void sb_rule_workdir_relative_path(struct sb_linter *linter);

/* rules_copy.c */
void sb_rule_copy_ignored_file(struct sb_linter *linter);
void sb_rule_copy_all_without_ignore_file(struct sb_linter *linter);
void sb_rule_remote_add_without_checksum(struct sb_linter *linter);
void sb_rule_world_writable(struct sb_linter *linter);

/* rules_expose.c */
void sb_rule_expose_proto_casing(struct sb_linter *linter);
void sb_rule_expose_invalid_format(struct sb_linter *linter);

/* rules_secret.c */
void sb_rule_secret_value(struct sb_linter *linter);
void sb_rule_secret_file_copied(struct sb_linter *linter);
void sb_rule_secret_copied_then_removed(struct sb_linter *linter);
void sb_rule_copied_then_removed(struct sb_linter *linter);

/* rules_cache.c */
void sb_rule_package_cache_left(struct sb_linter *linter);

/* rules_run.c */
void sb_rule_pipe_to_shell(struct sb_linter *linter);
void sb_rule_sudo_in_run(struct sb_linter *linter);
void sb_rule_cd_has_no_effect(struct sb_linter *linter);
void sb_rule_tls_verification_off(struct sb_linter *linter);

/* rules_apt.c */
void sb_rule_apt_installs_recommended(struct sb_linter *linter);
void sb_rule_apt_without_yes(struct sb_linter *linter);
void sb_rule_apt_update_alone(struct sb_linter *linter);

/* rules_waiver.c */
void sb_rule_unknown_rule(struct sb_linter *linter);

#endif
