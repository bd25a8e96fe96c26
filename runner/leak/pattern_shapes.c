/* SPDX-License-Identifier: MIT */
#include "leak/pattern_verify.h"

/* Secrets known by their shape: keys, passwords in addresses, files that hold credentials, and
 * values by their names. A new one is an entry here. */

#define NEW_KEY \
	"make a new key pair; mount the key as a secret, or give it to the container when it " \
	"starts"
#define NEW_PASSWORD "change the password, and give the new one to the build as a secret"
#define RULE(id, title, severity, fix) \
	{ \
		id, title, SB_PATTERN_##severity, fix \
	}
#define MARK(text) \
	{ \
		text, SB_CHARS_NONE, 0, 0, 0 \
	}

const struct sb_pattern_entry sb_pattern_shapes[] = {
	{RULE("gcp-key", "the key of a Google service account", ERROR, NEW_KEY), 0, sb_verify_gcp,
		{MARK("\"private_key\""), MARK("\\\"private_key\\\"")}},
	{RULE("private-key", "a private key", ERROR, NEW_KEY), SB_PATTERN_IN_LINES, sb_verify_pem,
		{MARK("PRIVATE KEY")}},
	{RULE("putty-key", "a PuTTY private key", ERROR, NEW_KEY), 0, sb_verify_putty,
		{MARK("PuTTY-User-Key-File-")}},
	{.rule = RULE("key-store", "a store of private keys", ERROR, NEW_KEY),
		.verify_file = sb_verify_key_store,
		.files = {"*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.jceks"}},
	{.rule = RULE("private-key-file", "a private key", ERROR, NEW_KEY),
		.verify_file = sb_verify_der_key,
		.files = {"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.key", "*.der", "*.pk8",
			"*.p8"}},
	{RULE("json-web-token", "a JSON Web Token", WARNING,
		 "let it expire or revoke it, and give the new one to the build as a secret"),
		SB_PATTERN_IN_LINES, sb_verify_jwt, {MARK("eyJ")}},
	{RULE("jdbc-password", "a password in a JDBC address", ERROR, NEW_PASSWORD),
		SB_PATTERN_TEXT_ONLY, sb_verify_jdbc, {MARK("jdbc:")}},
	{RULE("url-password", "a password in a URL", ERROR, NEW_PASSWORD),
		SB_PATTERN_IN_LINES | SB_PATTERN_TEXT_ONLY, sb_verify_url, {MARK("://")}},
	{RULE("curl-credentials", "credentials for curl", ERROR, NEW_PASSWORD),
		SB_PATTERN_TEXT_ONLY, sb_verify_curl, {MARK("curl ")}},
	{RULE("npm-credentials", "the credentials of a package registry", ERROR,
		 "revoke it, and mount .npmrc as a secret"),
		SB_PATTERN_TEXT_ONLY, sb_verify_npmrc,
		{MARK("_authToken"), MARK("_password"), MARK("_auth")}},
	{RULE("docker-credentials", "the credentials of an image registry", ERROR,
		 "log out, change them, and keep config.json out of images"),
		SB_PATTERN_TEXT_ONLY, sb_verify_docker_auth,
		{MARK("\"auth\""), MARK("\\\"auth\\\"")}},
	{RULE("netrc-password", "a password of a .netrc", ERROR,
		 "change the password, and mount .netrc as a secret"),
		SB_PATTERN_TEXT_ONLY, sb_verify_netrc, {MARK("machine")}},
	{.rule = RULE("pgpass-password", "a password of a .pgpass", ERROR, NEW_PASSWORD),
		.verify_file = sb_verify_pgpass,
		.files = {".pgpass", "pgpass", "pgpass.conf"}},
	{RULE("nuget-password", "the password of a NuGet source", ERROR, NEW_PASSWORD),
		SB_PATTERN_ANY_CASE | SB_PATTERN_TEXT_ONLY, sb_verify_nuget, {MARK("<add key=")}},
	{RULE("kubernetes-secret", "a Kubernetes Secret with values", ERROR,
		 "keep it out of the image; the cluster gives it to the container"),
		SB_PATTERN_TEXT_ONLY, sb_verify_kubernetes,
		{MARK("kind: Secret"), MARK("\"kind\": \"Secret\""), MARK("\"kind\":\"Secret\"")}},
	{RULE("password-hash", "the hash of an account's password", WARNING,
		 "lock the account (passwd -l), and let it log in with keys"),
		SB_PATTERN_TEXT_ONLY, sb_verify_shadow,
		{MARK("$y$"), MARK("$gy$"), MARK("$7$"), MARK("$6$"), MARK("$5$"), MARK("$2a$"),
			MARK("$2b$"), MARK("$2y$"), MARK("$1$")}},
	{RULE("named-secret", "a value that looks random and is named like a secret", WARNING,
		 "if it is one, revoke it and give the new one to the build as a secret"),
		SB_PATTERN_ANY_CASE | SB_PATTERN_TEXT_ONLY | SB_PATTERN_GENERIC, sb_verify_named,
		{MARK("passw"), MARK("passphrase"), MARK("pwd"), MARK("secret"), MARK("token"),
			MARK("api_key"), MARK("apikey"), MARK("api-key"), MARK("access_key"),
			MARK("accesskey"), MARK("credential"), MARK("db_pass")}},
	{{0}},
};

const struct sb_pattern_rule *sb_pattern_variable_rule(void)
{
	static const struct sb_pattern_rule rule = RULE("secret-variable",
		"a value of a variable or label that is named like a secret", WARNING,
		"give it to the build as a secret, or to the container when it starts");

	return &rule;
}
