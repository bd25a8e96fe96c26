/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "fake_api.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct outcome {
	int status;
	char *out;
	char *err;
};

/* Words are parted by blanks. */
static struct outcome run(const char *line)
{
	struct outcome o = {0};
	size_t out_len = 0;
	size_t err_len = 0;
	FILE *out = open_memstream(&o.out, &out_len);
	FILE *err = open_memstream(&o.err, &err_len);
	SB_AUTO_STRV words = SB_STRV_INIT;
	sb_autofree char *copy = sb_strdup(line);
	char *rest = copy;

	sb_strv_add(&words, "safebuild");
	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
		if (*word != '\0')
			sb_strv_add(&words, word);
	}
	o.status = sb_cli_main((int)words.len, words.items, out, err);
	(void)fclose(out);
	(void)fclose(err);
	return o;
}

static void release(struct outcome *o)
{
	free(o->out);
	free(o->err);
}

static int reset(void **state)
{
	(void)state;
	fake_api_reset();
	return 0;
}

static void words_reach_the_library(void **state)
{
	static const struct {
		const char *line;
		const char *asked;
	} cases[] = {
		{"", "build\n"},
		{".", "build context=.\n"},
		{"build .", "build context=.\n"},
		{"build build", "build context=build\n"},
		{"-f B -t a --tag b:1 ctx/", "build context=ctx/ file=B tag=a tag=b:1\n"},
		{"--root /r images", "images root=/r\n"},
		{"-f images .", "build context=. file=images\n"},
		{"-- images", "build context=images\n"},
		{"--build-arg A=1 --build-arg B --label x --label y=z",
			"build arg=A=1 arg=B label=x= label=y=z\n"},
		{"--build-context a=/b --add-host h:1.2.3.4 --add-host h6=::1",
			"build named=a=/b host=h:1.2.3.4 host=h6=::1\n"},
		{"--secret id=a,src=f --secret id=b,env=V .",
			"build context=. secret=a,src:f secret=b,env:V\n"},
		{"--ssh default --ssh k=/a,b --ssh s=/s,raw=true .",
			"build context=. ssh=default ssh=k:/a:b ssh=s:/s,raw\n"},
		{"-o out -o type=oci,dest=a.tar -o type=store",
			"build output=4:out output=1:a.tar output=0:\n"},
		{"--platform linux/amd64,linux/arm64 --platform linux/386 .",
			"build context=. platform=linux/amd64 platform=linux/arm64 "
			"platform=linux/386\n"},
		{"--platform linux/arm64 --network none --shm-size 1g --jobs 4",
			"build platform=linux/arm64 network=none shm=1g\n"},
		{"--iidfile i --metadata-file m --source-date-epoch 0 --strict --no-cache --pull "
		 "--check",
			"build iidfile=i metadata=m epoch=0 strict no-cache pull check\n"},
		{"cache", "du\n"},
		{"--root r cache export -o f /a b --secret id=k",
			"cache-export root=r dest=f id=/a id=b secret=k\n"},
		{"cache import f --root r", "cache-import f root=r\n"},
		{"--cache-to h/a --cache-to type=local,dest=d,mode=max --cache-from h/a",
			"build cache-to=h/a cache-to=d,folder,max cache-from=h/a\n"},
		{"inspect a.tar", "inspect image=a.tar page>stdout\n"},
		{"inspect diff", "inspect image=diff page>stdout\n"},
		{"inspect cat", "inspect image=cat page>stdout\n"},
		{"inspect diff a b --json", "diff before=a after=b json\n"},
		{"inspect cat a 2 etc/x", "cat image=a layer=2 path=etc/x\n"},
		{"--root r inspect cat --platform linux/arm64 a 2 -- -x",
			"cat image=a layer=2 path=-x root=r platform=linux/arm64\n"},
		{"inspect - --secret id=a --json --platform linux/amd64 --root r",
			"inspect image=- root=r platform=linux/amd64 secret=a json>stdout\n"},
		{"inspect a --format json", "inspect image=a json>stdout\n"},
		{"inspect a --format page", "inspect image=a page>stdout\n"},
		{"inspect a --format sarif -o x", "inspect image=a sarif>x\n"},
		{"inspect a -o x.html -o json=y.html -o -",
			"inspect image=a html>x.html json>y.html page>stdout\n"},
		{"inspect a -o sarif=- -o n=x.json",
			"inspect image=a sarif>stdout json>n=x.json\n"},
		{"inspect a --fail-on error,runs-as-root --fail-on x --policy p --strict",
			"inspect image=a policy=p fail-on=error fail-on=runs-as-root fail-on=x "
			"strict page>stdout\n"},
		{"inspect a --name b:1", "inspect image=a name=b:1 page>stdout\n"},
		{"inspect a --color always", "inspect image=a color page>stdout\n"},
		{"import - base:1", "import - base:1\n"},
		{"import -c USER=a --change B a b", "import a b change=USER=a change=B\n"},
		{"run a", "run image=a\n"},
		{"run a b -c --rm", "run image=a word=b word=-c word=--rm\n"},
		{"run -it --rm -e A -e B=1 a -- -x --",
			"run image=a env=A env=B=1 stdin word=-x word=--\n"},
		{"--root r run -u 1:2 -w /w -- a -e",
			"run image=a root=r user=1:2 workdir=/w word=-e\n"},
		{"run -v a:/b -v c:/d:ro -p 1:2 --network host --strict a",
			"run image=a network=host volume=a:/b volume=c:/d:ro publish=1:2 strict\n"},
		{"run --entrypoint= --secret id=s --mount type=secret,id=s a",
			"run image=a entrypoint= mount=type=secret,id=s secret=s\n"},
		{"run --platform linux/arm64 --hostname h --shm-size 1g --add-host a:1 --env-file "
		 "f a",
			"run image=a platform=linux/arm64 hostname=h shm=1g env-file=f host=a:1\n"},
		{"load", "load -\n"},
		{"load -q -i a.tar --root r", "load a.tar root=r\n"},
		{"load a.tar", "load a.tar\n"},
		{"save -o f a b:1", "save type=2 dest=f image=a image=b:1\n"},
		{"save --compression zstd -o f a", "save type=2 dest=f compression=zstd image=a\n"},
		{"save --format oci a", "save type=1 dest=- image=a\n"},
		{"save a --format oci-dir -o d", "save type=1,folder dest=d image=a\n"},
		{"pull alpine:3 --platform linux/arm64", "pull alpine:3 platform=linux/arm64\n"},
		{"push a", "push a\n"},
		{"push a h/b h/c:1 --authfile f --chunk-size 64m --root r",
			"push a to=h/b to=h/c:1 root=r auth=f chunk=64m\n"},
		{"logout", "logout\n"},
		{"logout h:5000 --authfile f", "logout at=h:5000 auth=f\n"},
		{"-t h/a --push", "build tag=h/a push\n"},
		{"-o type=registry,name=h/a", "build output=5:\n"},
		{"tag a b c", "tag a b\ntag a c\n"},
		{"rm a b", "rm image=a image=b\n"},
		{"rm -f a", "rm image=a force\n"},
		{"du", "du\n"},
		{"prune", "prune\n"},
		{"prune -a --older-than 1h30m --keep-bytes 2k", "prune all older=5400 keep=2048\n"},
		{"prune --older-than 90 -f --filter type=mount --filter id=ab",
			"prune older=90 filter=type=mount filter=id=ab\n"},
		{"--no-cache-filter a,b --no-cache-filter=c --plan",
			"build no-cache-filter=a no-cache-filter=b no-cache-filter=c plan\n"},
		{"--secret id=s,rekey=true --secret id=t,rekey=false",
			"build secret=s,rekey secret=t\n"},
		{"doctor", "doctor\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_api_reset();
		struct outcome o = run(cases[i].line);

		assert_string_equal(fake_api()->asked, cases[i].asked);
		assert_int_equal(o.status, 0);
		release(&o);
	}
}

static void wrong_usage_ends_before_the_library_is_asked(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{"a b", "unexpected word 'b'"},
		{"buidl", "did you mean 'safebuild build'?"},
		{"--target t images", "unknown option '--target'"},
		{"--secert id=a", "did you mean '--secret'?"},
		{"completion bash", "the command 'completion' is not in this version"},
		{"inspect a --format xml", "unknown form 'xml'"},
		{"inspect a --color blue", "auto, always or never"},
		{"inspect a --fail-on=", "it is empty"},
		{"inspect a --fail-on a,,b", "a word is missing"},
		{"inspect a -o json=", "the file is missing"},
		{"inspect cat a 2", "too few words"},
		{"inspect", "too few words"},
		{"inspect a b", "unexpected word 'b'"},
		{"tag a", "too few words"},
		{"rm", "too few words"},
		{"images x y", "unexpected word 'y'"},
		{"help nope", "there is no command 'nope'"},
		{"--ssh =x .", "the id is missing"},
		{"--cache-from type=s3,name=x", "type 's3' is not in this version"},
		{"-m 1g", "option '-m' is not in this version"},
		{"-o type=cacheonly", "type 'cacheonly' is not in this version"},
		{"login -p x", "option '-p' is not in this version"},
		{"login --password-stdin", "--password-stdin needs --username"},
		{"push", "too few words"},
		{"--platform linux/amd64,,linux/arm64", "a platform is missing"},
		{"lint --platform linux/amd64,linux/arm64", "one platform is wanted here"},
		{"--network bridge", "unknown network 'bridge'"},
		{"--progress fancy", "unknown progress 'fancy'"},
		{"--source-date-epoch -1", "is not a number of seconds"},
		{"--jobs 0", "is not a number from 1"},
		{"--label =x", "the key is missing"},
		{"--build-arg =x", "the name is missing"},
		{"--build-context a", "is not of the form NAME=PATH"},
		{"--add-host a", "is not of the form NAME:IP"},
		{"-f - -", "can't both come from standard input"},
		{"-o - -o type=oci,dest=-", "only one output can go to stdout"},
		{"-f", "needs a value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o = run(cases[i].line);

		if (strstr(o.err, cases[i].message) == NULL)
			fail_msg("'%s' gave: %s", cases[i].line, o.err);
		assert_int_equal(o.status, 2);
		assert_string_equal(o.out, "");
		assert_int_equal(fake_api()->n_calls, 0);
		release(&o);
	}
}

static void secret_values_on_the_command_line_are_not_repeated(void **state)
{
	static const char *const lines[] = {"--secret id=a,value=hunter2", "--secret hunter2",
		"--secret id=a,hunter2=1", "--secret=id=a,type=hunter2", "--secrt=hunter2",
		"inspect a --secret id=a,data=hunter2"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct outcome o = run(lines[i]);

		assert_int_equal(o.status, 2);
		assert_null(strstr(o.err, "hunter2"));
		assert_null(strstr(o.out, "hunter2"));
		assert_non_null(strstr(o.err, "hint: "));
		release(&o);
	}
}

static void failures_set_the_exit_status_and_are_said_once(void **state)
{
	static const struct {
		const char *line;
		enum sb_code code;
		unsigned at_line;
		int status;
	} cases[] = {
		{".", SB_E_STEP_FAILED, 3, 1},
		{".", SB_E_LEAK, 3, 1},
		{".", SB_E_NOT_FOUND, 3, 1},
		{".", SB_E_NOT_FOUND, 0, 3},
		{".", SB_E_SYNTAX, 3, 2},
		{".", SB_E_CANCELLED, 0, 130},
		{".", SB_E_BUG, 0, 125},
		{"inspect a", SB_E_INTEGRITY, 0, 3},
		{"images", SB_E_SYSTEM, 0, 3},
		{"pull a", SB_E_NETWORK, 0, 3},
		{"import a b", SB_E_NOT_FOUND, 0, 3},
		{"load a", SB_E_INTEGRITY, 0, 3},
		{"run a", SB_E_INTEGRITY, 0, 125},
		{"run a", SB_E_STEP_FAILED, 0, 127},
		{"run a", SB_E_CANCELLED, 0, 130},
		{"save -o f a", SB_E_NOT_FOUND, 0, 3},
		{"tag a b c", SB_E_NOT_FOUND, 0, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_api_reset();
		fake_api()->fail_with = cases[i].code;
		fake_api()->fail_line = cases[i].at_line;
		struct outcome o = run(cases[i].line);
		const char *first = strstr(o.err, "made to fail");

		assert_int_equal(o.status, cases[i].status);
		assert_int_equal(fake_api()->n_calls, 1);
		assert_non_null(first);
		assert_null(strstr(first + 1, "made to fail"));
		assert_string_equal(o.out, "");
		release(&o);
	}
}

static void findings_make_inspect_fail(void **state)
{
	(void)state;
	fake_api()->inspect_verdict = SB_INSPECT_FAILED;
	struct outcome failed = run("inspect a");

	assert_int_equal(failed.status, 1);
	assert_string_equal(failed.out, "the report\n");
	release(&failed);
	fake_api()->inspect_verdict = SB_INSPECT_NO_ANSWER;
	struct outcome none = run("inspect a -o -");

	assert_int_equal(none.status, 3);
	assert_string_equal(none.out, "the report\n");
	release(&none);
}

static void quiet_prints_the_digest_alone(void **state)
{
	static const char *const lines[] = {"-q .", "--progress quiet .", "--progress=plain -q ."};

	(void)state;
	fake_api()->sends_events = true;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct outcome o = run(lines[i]);

		assert_string_equal(o.out, DIGEST "\n");
		assert_string_equal(o.err, "");
		release(&o);
	}
}

static void nothing_but_the_archive_goes_to_stdout(void **state)
{
	static const char *const forms[] = {"plain", "tty", "json", "quiet", "auto"};

	(void)state;
	fake_api()->sends_events = true;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		sb_autofree char *line =
			sb_asprintf("-o type=oci,dest=- --progress %s .", forms[i]);
		struct outcome o = run(line);

		assert_int_equal(o.status, 0);
		assert_string_equal(o.out, "");
		assert_true(strlen(o.err) > 0);
		release(&o);
	}
}

static void json_goes_to_stdout_where_that_is_free(void **state)
{
	(void)state;
	fake_api()->sends_events = true;
	fake_api()->fail_with = SB_E_STEP_FAILED;
	fake_api()->fail_line = 3;
	struct outcome o = run("--progress json .");

	assert_int_equal(o.status, 1);
	assert_non_null(strstr(o.out, "\"event\":\"step-start\""));
	assert_non_null(strstr(o.out, "\"event\":\"error\""));
	assert_string_equal(o.err, "Buildfile:3: error: made to fail\n");
	release(&o);

	o = run("--progress json -o - .");
	assert_int_equal(o.status, 1);
	assert_string_equal(o.out, "");
	assert_non_null(strstr(o.err, "\"event\":\"error\""));
	assert_null(strstr(o.err, "Buildfile:3: error"));
	release(&o);

	o = run("pull --progress json alpine");
	assert_int_equal(o.status, 1);
	assert_non_null(strstr(o.err, "\"event\":\"error\""));
	assert_null(strstr(o.err, "Buildfile:3: error"));
	release(&o);
}

static void images_are_a_table_or_json(void **state)
{
	struct outcome o = run("images");

	(void)state;
	assert_non_null(strstr(o.out, "NAME         DIGEST         CREATED"));
	assert_non_null(strstr(o.out, "app:latest   0123456789ab   "));
	assert_non_null(strstr(o.out, " years ago"));
	assert_non_null(strstr(o.out, "12.3 MB   1"));
	assert_non_null(strstr(o.out, "<none>       0123456789ab   -"));
	release(&o);
	o = run("images --no-trunc");
	assert_non_null(strstr(o.out, DIGEST));
	release(&o);
	o = run("images --json");
	assert_non_null(strstr(o.out, "\"size\": 12345678"));
	assert_non_null(strstr(o.out, "\"unique\": 1000"));
	assert_non_null(strstr(o.out, "\"platform\": \"linux/arm64\""));
	release(&o);
}

static void images_are_filtered(void **state)
{
	static const struct {
		const char *filter;
		bool finds;
	} cases[] = {
		{"app", true},
		{"app:latest", true},
		{"app:*", true},
		{"a*", true},
		{"*", true},
		{"app:1", false},
		{"ap", false},
		{"ap/", false},
		{"0123", true},
		{"012", false},
		{"sha256:0123456789ab", true},
		{"sha256:1", false},
		{"ffff", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sb_autofree char *line = sb_asprintf("images %s", cases[i].filter);
		struct outcome o = run(line);

		if ((strstr(o.out, "app:latest") != NULL) != cases[i].finds)
			fail_msg("%s: %s", line, o.out);
		release(&o);
	}

	struct outcome o = run("images -q");

	assert_string_equal(o.out, DIGEST "\n");
	release(&o);
}

static void doctor_says_what_mends_the_host(void **state)
{
	struct outcome o = run("doctor");

	(void)state;
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "ok        user namespaces  allowed\n"
				   "degraded  subordinate ids  none for 'ann'\n"
				   "          fix: sudo usermod --add-subuids 100000-165535 ann\n"
				   "\nThis host can build, with the limits said above.\n");
	release(&o);
	fake_api()->host_fails = true;
	o = run("doctor");
	assert_int_equal(o.status, 3);
	assert_non_null(strstr(o.out, "missing   subordinate ids"));
	release(&o);
}

static void pull_and_import_print_the_digest(void **state)
{
	struct outcome o = run("pull alpine");

	(void)state;
	assert_string_equal(o.out, DIGEST "\n");
	release(&o);
	o = run("import -q rootfs.tar base");
	assert_string_equal(o.out, DIGEST "\n");
	release(&o);
}

static void run_ends_with_the_programs_status(void **state)
{
	fake_api()->run_status = 42;

	struct outcome o = run("run a");

	(void)state;
	assert_int_equal(o.status, 42);
	assert_string_equal(o.out, "");
	release(&o);
	o = run("run --nope a");
	assert_int_equal(o.status, 125);
	release(&o);
	o = run("run");
	assert_int_equal(o.status, 125);
	release(&o);
}

static void load_prints_a_line_a_name(void **state)
{
	struct outcome o = run("load a.tar");

	(void)state;
	assert_string_equal(o.out, "Loaded image: app:1\nLoaded image ID: " DIGEST "\n");
	release(&o);
}

static void help_fits_eighty_columns(void **state)
{
	static const char *const lines[] = {"--help", "help", "build --help", "help build",
		"inspect -h", "help pull", "help push", "help login", "help logout", "help import",
		"help load", "help save", "help run", "help images", "help tag", "help rm",
		"help doctor", "help version", "help help"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct outcome o = run(lines[i]);

		assert_int_equal(o.status, 0);
		assert_int_equal(strncmp(o.out, "Usage: safebuild ", 17), 0);
		for (const char *line = o.out; *line != '\0'; line += strcspn(line, "\n") + 1) {
			if (strcspn(line, "\n") > 80)
				fail_msg("'%s' is too wide: %.*s", lines[i],
					(int)strcspn(line, "\n"), line);
		}
		release(&o);
	}
	assert_int_equal(fake_api()->n_calls, 0);
}

static void version_is_printed(void **state)
{
	static const char *const lines[] = {"version", "--version"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct outcome o = run(lines[i]);

		assert_int_equal(o.status, 0);
		assert_string_equal(o.out, "safebuild " SB_VERSION "\n");
		release(&o);
	}
}

static void a_full_disk_behind_stdout_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "we");
	char *text = NULL;
	size_t len = 0;
	char *const argv[] = {sb_strdup("safebuild"), sb_strdup("version"), NULL};

	(void)state;
	if (full == NULL)
		skip();
	FILE *err = open_memstream(&text, &len);

	assert_int_equal(sb_cli_main(2, argv, full, err), 3);
	(void)fclose(err);
	(void)fclose(full);
	assert_non_null(strstr(text, "write to standard output"));
	free(text);
	free(argv[0]);
	free(argv[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(words_reach_the_library, reset),
		cmocka_unit_test_setup(wrong_usage_ends_before_the_library_is_asked, reset),
		cmocka_unit_test_setup(secret_values_on_the_command_line_are_not_repeated, reset),
		cmocka_unit_test_setup(failures_set_the_exit_status_and_are_said_once, reset),
		cmocka_unit_test_setup(findings_make_inspect_fail, reset),
		cmocka_unit_test_setup(quiet_prints_the_digest_alone, reset),
		cmocka_unit_test_setup(nothing_but_the_archive_goes_to_stdout, reset),
		cmocka_unit_test_setup(json_goes_to_stdout_where_that_is_free, reset),
		cmocka_unit_test_setup(images_are_a_table_or_json, reset),
		cmocka_unit_test_setup(images_are_filtered, reset),
		cmocka_unit_test_setup(doctor_says_what_mends_the_host, reset),
		cmocka_unit_test_setup(pull_and_import_print_the_digest, reset),
		cmocka_unit_test_setup(run_ends_with_the_programs_status, reset),
		cmocka_unit_test_setup(load_prints_a_line_a_name, reset),
		cmocka_unit_test_setup(help_fits_eighty_columns, reset),
		cmocka_unit_test_setup(version_is_printed, reset),
		cmocka_unit_test_setup(a_full_disk_behind_stdout_is_an_error, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
