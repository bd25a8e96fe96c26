/* SPDX-License-Identifier: MIT */
#include "registry/known_secrets.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "registry/credential.h"

enum { MIN_BYTES = 4 };

void sb_known_secrets_add(struct sb_known_secrets *secrets, const char *secret)
{
	if (secret == NULL || strlen(secret) < MIN_BYTES)
		return;

	char *escaped = sb_escape_text(secret, strlen(secret));

	if (sb_strv_contains(&secrets->texts, escaped))
		sb_secret_free(escaped);
	else
		sb_strv_add_nodup(&secrets->texts, escaped);
}

/* *text is replaced. */
static void redact_text(char **text, const char *secret)
{
	static const char shown[] = "[credential]";
	const size_t len = strlen(secret);

	for (char *at = *text != NULL ? strstr(*text, secret) : NULL; at != NULL;) {
		const size_t before = (size_t)(at - *text);
		char *whole = sb_asprintf("%.*s%s%s", (int)before, *text, shown, at + len);

		sb_secret_free(*text);
		*text = whole;
		at = strstr(whole + before + strlen(shown), secret);
	}
}

void sb_known_secrets_redact(const struct sb_known_secrets *secrets, struct sb_error *err)
{
	for (size_t i = 0; i < secrets->texts.len; i++) {
		redact_text(&err->message, secrets->texts.items[i]);
		redact_text(&err->hint, secrets->texts.items[i]);
	}
}

void sb_known_secrets_release(struct sb_known_secrets *secrets)
{
	for (size_t i = 0; i < secrets->texts.len; i++)
		explicit_bzero(secrets->texts.items[i], strlen(secrets->texts.items[i]));
	sb_strv_release(&secrets->texts);
}
