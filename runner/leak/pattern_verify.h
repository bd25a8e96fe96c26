/* SPDX-License-Identifier: MIT */
#ifndef SB_LEAK_PATTERN_VERIFY_H
#define SB_LEAK_PATTERN_VERIFY_H

#include "leak/pattern_rule.h"

/* What the data of a mark can't say; all are of the types of pattern_rule.h. */
#define SB_VERIFY(name) \
	bool name(const struct sb_pattern_view *view, const struct sb_pattern_mark *mark, \
		size_t at, struct sb_pattern_span *out)

/* A mark with its characters behind it; what most of the others begin with. */
SB_VERIFY(sb_verify_token);

/* pattern_tokens.c: tokens with parts. */
SB_VERIFY(sb_verify_aws_secret);
SB_VERIFY(sb_verify_azure_secret);
SB_VERIFY(sb_verify_bundler);
SB_VERIFY(sb_verify_gitlab_job);
SB_VERIFY(sb_verify_grafana_account);
SB_VERIFY(sb_verify_jwt);
SB_VERIFY(sb_verify_onepassword_key);
SB_VERIFY(sb_verify_openai);
SB_VERIFY(sb_verify_sendgrid);
SB_VERIFY(sb_verify_slack);
SB_VERIFY(sb_verify_terraform);
SB_VERIFY(sb_verify_vault_old);

/* pattern_keys.c: private keys. */
SB_VERIFY(sb_verify_pem);
SB_VERIFY(sb_verify_putty);
SB_VERIFY(sb_verify_gcp);
bool sb_verify_key_store(const struct sb_pattern_view *view, struct sb_pattern_span *out);
bool sb_verify_der_key(const struct sb_pattern_view *view, struct sb_pattern_span *out);

/* pattern_urls.c: passwords in addresses and commands. */
SB_VERIFY(sb_verify_url);
SB_VERIFY(sb_verify_jdbc);
SB_VERIFY(sb_verify_curl);

/* pattern_files.c: what certain files hold. */
SB_VERIFY(sb_verify_docker_auth);
SB_VERIFY(sb_verify_kubernetes);
SB_VERIFY(sb_verify_netrc);
SB_VERIFY(sb_verify_npmrc);
SB_VERIFY(sb_verify_nuget);
SB_VERIFY(sb_verify_shadow);
bool sb_verify_pgpass(const struct sb_pattern_view *view, struct sb_pattern_span *out);

/* pattern_names.c: values with names. */
SB_VERIFY(sb_verify_named);

#endif
