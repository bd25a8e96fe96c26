/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lint_fixture.h"

#define CHECK(rows, context) lint_check_rows(rows, sizeof(rows) / sizeof((rows)[0]), context)

static void style_of_instructions(void **state)
{
	static const struct lint_row rows[] = {
		{"StageNameCasing", "FROM a AS Build\n", "1"},
		{"StageNameCasing", "FROM a AS b\nFROM a AS BUILD\n", "2"},
		{"StageNameCasing", "FROM a AS build-1\n", ""},
		{"StageNameCasing", "FROM A\n", ""},

		{"FromAsCasing", "FROM a as b\n", "1"},
		{"FromAsCasing", "from a AS b\n", "1"},
		{"FromAsCasing", "FROM a As b\n", "1"},
		{"FromAsCasing", "from a as b\n", ""},
		{"FromAsCasing", "From a as b\n", ""},
		{"FromAsCasing", "FROM a\n", ""},

		{"NoEmptyContinuation", "FROM a\nRUN x \\\n\n  y\n", "3"},
		{"NoEmptyContinuation", "FROM a\nRUN x \\\n  y \\\n   \n\n  z\nRUN a\n", "4"},
		{"NoEmptyContinuation", "FROM a\nRUN x \\\n# no\n  y\n", ""},
		{"NoEmptyContinuation", "FROM a\n\nRUN <<E\n\nx\nE\n\n", ""},
		{"NoEmptyContinuation", "\nFROM a\n", ""},

		{"ConsistentInstructionCasing", "FROM a\nrun x\nRUN y\n", "2"},
		{"ConsistentInstructionCasing", "from a\nrun x\nRUN y\n", "3"},
		{"ConsistentInstructionCasing", "FROM a\nRun x\n", "2"},
		{"ConsistentInstructionCasing", "From a\nRun x\n", "1 2"},
		{"ConsistentInstructionCasing", "from a\nrun x\n", ""},
		{"ConsistentInstructionCasing", "FROM a\nONBUILD run x\n", ""},

		{"MaintainerDeprecated", "FROM a\nMAINTAINER me\n", "2"},
		{"MaintainerDeprecated", "FROM a\nmaintainer me\nMAINTAINER you\n", "2 3"},
		{"MaintainerDeprecated", "FROM a\nLABEL maintainer=me\n", ""},
		{"MaintainerDeprecated", "FROM a\n# MAINTAINER me\n", ""},

		{"LegacyKeyValueFormat", "FROM a\nENV a b c\n", "2"},
		{"LegacyKeyValueFormat", "FROM a\nLABEL a b\nENV b\t=x\n", "2 3"},
		{"LegacyKeyValueFormat", "FROM a\nONBUILD ENV a b\n", "2"},
		{"LegacyKeyValueFormat", "FROM a\nENV a=b\n", ""},
		{"LegacyKeyValueFormat", "FROM a\nENV a=\"b c\" d=e\n", ""},
		{"LegacyKeyValueFormat", "FROM a\nARG a\n", ""},

		{"InvalidDefinitionDescription", "# the base\nFROM a AS base\n", "2"},
		{"InvalidDefinitionDescription", "# nope x\nARG x\nFROM a\n", "2"},
		{"InvalidDefinitionDescription", "# base is it\nFROM a AS base\n", ""},
		{"InvalidDefinitionDescription", "# y one of them\nARG x y\nFROM a\n", ""},
		{"InvalidDefinitionDescription", "# free\n\nFROM a AS base\n", ""},
		{"InvalidDefinitionDescription", "# free\n#\nFROM a AS base\n", ""},
		{"InvalidDefinitionDescription", "# free\nFROM a\n", ""},

		{"JSONArgsRecommended", "FROM a\nCMD x\nENTRYPOINT y\n", "2 3"},
		{"JSONArgsRecommended", "FROM a\nCMD ['x']\n", "2"},
		{"JSONArgsRecommended", "FROM a\nCMD [\"x\"]\nENTRYPOINT [\"y\"]\n", ""},
		{"JSONArgsRecommended", "FROM a\nSHELL [\"bash\", \"-c\"]\nCMD x\n", ""},
		{"JSONArgsRecommended", "FROM a AS b\nSHELL [\"x\"]\nFROM b\nCMD x\n", ""},
		{"JSONArgsRecommended", "FROM a\nCMD x\nSHELL [\"x\"]\n", "2"},
		{"JSONArgsRecommended", "FROM a\nHEALTHCHECK CMD x\n", ""},

		{"MultipleInstructionsDisallowed", "FROM a\nCMD x\nCMD y\n", "2"},
		{"MultipleInstructionsDisallowed",
			"FROM a\nENTRYPOINT a\nENTRYPOINT b\nENTRYPOINT c\n", "2 3"},
		{"MultipleInstructionsDisallowed", "FROM a\nHEALTHCHECK NONE\nHEALTHCHECK CMD x\n",
			"2"},
		{"MultipleInstructionsDisallowed", "FROM a AS b\nCMD x\nFROM b\nCMD y\n", ""},
		{"MultipleInstructionsDisallowed", "FROM a\nCMD x\nENTRYPOINT y\n", ""},
		{"MultipleInstructionsDisallowed", "FROM a\nCMD x\nONBUILD CMD y\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

static void stages_and_their_bases(void **state)
{
	static const struct lint_row rows[] = {
		{"DuplicateStageName", "FROM a AS x\nFROM a AS x\n", "2"},
		{"DuplicateStageName", "FROM a AS x\nFROM a AS X\nFROM a AS x\n", "2 3"},
		{"DuplicateStageName", "FROM a AS x\nFROM a AS y\n", ""},
		{"DuplicateStageName", "FROM a\nFROM a\n", ""},

		{"ReservedStageName", "FROM a AS scratch\n", "1"},
		{"ReservedStageName", "FROM a AS Context\n", "1"},
		{"ReservedStageName", "FROM scratch AS x\n", ""},
		{"ReservedStageName", "FROM a AS contexts\n", ""},

		{"UndefinedArgInFrom", "FROM $nope\n", "1"},
		{"UndefinedArgInFrom", "ARG a=x\nFROM ${b:-y}\n", "2"},
		{"UndefinedArgInFrom", "FROM --platform=$BUILDPLATFROM a\n", "1"},
		{"UndefinedArgInFrom", "ARG a\nFROM x$a\n", ""},
		{"UndefinedArgInFrom", "FROM --platform=$BUILDPLATFORM a:$TARGETARCH\n", ""},
		{"UndefinedArgInFrom", "FROM a\nARG late=x\nFROM $late\n", "3"},

		{"InvalidDefaultArgInFrom", "ARG v\nFROM a:$v\n", "2"},
		{"InvalidDefaultArgInFrom", "ARG b\nFROM $b\nFROM x\n", "2"},
		{"InvalidDefaultArgInFrom", "ARG b=UPPER\nFROM $b\n", "2"},
		{"InvalidDefaultArgInFrom", "ARG b=a:1\nFROM $b\n", ""},
		{"InvalidDefaultArgInFrom", "ARG b\nFROM ${b:-busybox:1}\n", ""},
		{"InvalidDefaultArgInFrom", "ARG r=host.example:5000\nFROM $r/a/b_c@sha256:ab\n",
			""},

		{"FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a\n", "1"},
		{"FromPlatformFlagConstDisallowed", "FROM --platform=linux/arm64 a AS build\n",
			"1"},
		{"FromPlatformFlagConstDisallowed", "FROM --platform=linux/arm64 a AS b-arm64\n",
			""},
		{"FromPlatformFlagConstDisallowed", "FROM --platform=$BUILDPLATFORM a\n", ""},
		{"FromPlatformFlagConstDisallowed", "FROM a\n", ""},

		{"RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM a\n", "1"},
		{"RedundantTargetPlatform", "FROM --platform=${TARGETPLATFORM} a\n", "1"},
		{"RedundantTargetPlatform", "FROM --platform=$BUILDPLATFORM a\n", ""},
		{"RedundantTargetPlatform", "FROM --platform=$TARGETOS/$TARGETARCH a\n", ""},

		{"UnpinnedBaseImage", "FROM alpine\n", "1"},
		{"UnpinnedBaseImage", "FROM host:5000/x/alpine:latest\n", "1"},
		{"UnpinnedBaseImage", "ARG v=latest\nFROM a:$v\n", "2"},
		{"UnpinnedBaseImage", "FROM a:1\nCOPY --from=busybox /a /b\n", "2"},
		{"UnpinnedBaseImage", "FROM alpine:3.18\nFROM host:5000/x:1\n", ""},
		{"UnpinnedBaseImage", "FROM a@sha256:1\nFROM a:latest@sha256:1\n", ""},
		{"UnpinnedBaseImage", "FROM scratch\n", ""},
		{"UnpinnedBaseImage",
			"FROM a:1 AS b\nFROM b\nCOPY --from=B /x /\nCOPY --from=0 /x /\n", ""},
		{"UnpinnedBaseImage", "FROM $unknown\n", ""},

		{"BaseImageWithoutDigest", "FROM a:1\n", "1"},
		{"BaseImageWithoutDigest", "FROM a:1\nCOPY --from=b:2 /a /b\n", "1 2"},
		{"BaseImageWithoutDigest", "FROM a:1@sha256:1\n", ""},
		{"BaseImageWithoutDigest", "FROM a\n", ""},
		{"BaseImageWithoutDigest", "FROM scratch\n", ""},

		{"RunsAsRoot", "FROM a\n", "1"},
		{"RunsAsRoot", "FROM a\nUSER app\nUSER root\n", "3"},
		{"RunsAsRoot", "FROM a\nUSER 0:1000\n", "2"},
		{"RunsAsRoot", "FROM a\nARG u=root\nUSER $u\n", "3"},
		{"RunsAsRoot", "FROM scratch\nCMD [\"/x\"]\n", "1"},
		{"RunsAsRoot", "FROM a AS b\nUSER x\nFROM a\n", "3"},
		{"RunsAsRoot", "FROM a AS b\nUSER 0\nFROM b\nCMD [\"x\"]\n", "2"},
		{"RunsAsRoot", "FROM a\nUSER root\nRUN x\nUSER app\n", ""},
		{"RunsAsRoot", "FROM a AS b\nUSER x\nFROM b\n", ""},
		{"RunsAsRoot", "FROM gcr.io/distroless/static:nonroot\n", ""},
		{"RunsAsRoot", "FROM scratch\nCOPY a /\n", ""},
		{"RunsAsRoot", "FROM a\nUSER $u\n", ""},
		{"RunsAsRoot", "FROM a\nUSER 1000\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

static void images_that_are_at_hand(void **state)
{
	static const struct lint_row rows[] = {
		{"InvalidBaseImagePlatform", "FROM arm:1\n", "1"},
		{"InvalidBaseImagePlatform", "FROM amd:1\nFROM arm:2\n", "2"},
		{"InvalidBaseImagePlatform", "FROM amd:1\n", ""},
		{"InvalidBaseImagePlatform", "FROM unknown:1\n", ""},
		{"InvalidBaseImagePlatform", "FROM --platform=linux/arm64 arm:1\n", ""},
		{"InvalidBaseImagePlatform", "FROM scratch\n", ""},

		{"RunsAsRoot", "FROM app:1\n", ""},
		{"RunsAsRoot", "FROM base:1\n", "1"},
		{"RunsAsRoot", "FROM app:1\nUSER root\n", "2"},
		{"RunsAsRoot", "FROM app:1 AS b\nFROM b\nCMD [\"x\"]\n", ""},

		{"UndefinedVar", "FROM a\nWORKDIR $HOME/$SRC\n", "2"},
		{"UndefinedVar", "FROM a\nWORKDIR $HOME\n", ""},
		{"UndefinedVar", "FROM unknown\nWORKDIR $SRC\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_HAS_IMAGES);
}

static void variables(void **state)
{
	static const struct lint_row rows[] = {
		{"UndefinedVar", "FROM a\nCOPY $foo .\n", "2"},
		{"UndefinedVar", "FROM a\nARG app_home=1\nENV x=$app_hmoe\n", "3"},
		{"UndefinedVar", "FROM a\nARG APP_HOME=1\nLABEL v=$APP_HOM\n", "3"},
		{"UndefinedVar", "ARG V=1\nFROM a\nRUN --mount=type=cache,target=/$V x\n", "3"},
		{"UndefinedVar", "FROM a\nENV p=$TARGETARCH\n", "2"},
		{"UndefinedVar", "FROM scratch\nENV P=$ANY\n", "2"},
		{"UndefinedVar", "FROM a\nENV a=$a\n", "2"},
		{"UndefinedVar", "FROM a\nCOPY <<E /x\nhas $foo\nE\n", "2"},
		{"UndefinedVar", "FROM a\nARG a\nCOPY $a .\n", ""},
		{"UndefinedVar", "FROM a\nENV PATH=$PATH:/x\n", ""},
		{"UndefinedVar", "FROM a\nWORKDIR $GOPATH/src\n", ""},
		{"UndefinedVar", "FROM a AS b\nARG x=1\nFROM b\nENV y=$x\n", ""},
		{"UndefinedVar", "FROM a\nENV x='$foo' y=\\$bar\n", ""},
		{"UndefinedVar", "FROM a\nRUN echo $foo\nCMD echo $bar\n", ""},
		{"UndefinedVar", "FROM a\nCOPY <<'E' /x\nhas $foo\nE\n", ""},
		{"UndefinedVar", "FROM a\nONBUILD COPY $foo .\n", ""},
		{"UndefinedVar", "FROM a\nENV http=$http_proxy\n", ""},

		{"SecretsUsedInArgOrEnv", "FROM a\nENV API_KEY=x\n", "2"},
		{"SecretsUsedInArgOrEnv", "FROM a\nARG token\n", "2"},
		{"SecretsUsedInArgOrEnv", "FROM a\nENV a=1 \\\n  DB_PASSWORD=y\n", "3"},
		{"SecretsUsedInArgOrEnv", "FROM a\nENV secret_message hello\n", "2"},
		{"SecretsUsedInArgOrEnv", "FROM a\nONBUILD ARG auth\n", "2"},
		{"SecretsUsedInArgOrEnv", "FROM a\nENV PUBLIC_KEY=x TOKEN_FILE=y\n", ""},
		{"SecretsUsedInArgOrEnv", "FROM a\nENV KEYBOARD=x MONKEY=y tokens=1\n", ""},
		{"SecretsUsedInArgOrEnv", "ARG TOKEN\nFROM a\n", ""},
		{"SecretsUsedInArgOrEnv", "FROM a\nLABEL password=x\n", ""},

		{"WorkdirRelativePath", "FROM a\nWORKDIR app\n", "2"},
		{"WorkdirRelativePath", "FROM a\nWORKDIR app\nWORKDIR b\n", "2"},
		{"WorkdirRelativePath", "FROM a\nARG d=app\nWORKDIR $d/x\n", "3"},
		{"WorkdirRelativePath", "FROM a AS b\nWORKDIR /\nFROM a\nWORKDIR x\n", "4"},
		{"WorkdirRelativePath", "FROM a\nWORKDIR /app\nWORKDIR x\n", ""},
		{"WorkdirRelativePath", "FROM a AS b\nWORKDIR /x\nFROM b\nWORKDIR y\n", ""},
		{"WorkdirRelativePath", "FROM a\nWORKDIR $HOME/x\n", ""},
		{"WorkdirRelativePath", "FROM a\nENV d=/x\nWORKDIR ${d}\n", ""},
		{"WorkdirRelativePath", "# escape=`\nFROM a\nWORKDIR C:\\x\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

static void ports(void **state)
{
	static const struct lint_row rows[] = {
		{"ExposeProtoCasing", "FROM a\nEXPOSE 80/TCP\n", "2"},
		{"ExposeProtoCasing", "FROM a\nARG p=Udp\nEXPOSE 1 2/$p\n", "3"},
		{"ExposeProtoCasing", "FROM a\nEXPOSE 80/tcp 53/udp\n", ""},
		{"ExposeProtoCasing", "FROM a\nEXPOSE 80\n", ""},

		{"ExposeInvalidFormat", "FROM a\nEXPOSE 127.0.0.1:80:80\n", "2"},
		{"ExposeInvalidFormat", "FROM a\nEXPOSE 90 80:80\n", "2"},
		{"ExposeInvalidFormat", "FROM a\nEXPOSE 80-90\n", ""},
		{"ExposeInvalidFormat", "FROM a\nEXPOSE 80/tcp\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

static void copies_from_a_context_with_an_ignore_file(void **state)
{
	static const struct lint_row rows[] = {
		{"CopyIgnoredFile", "FROM a\nCOPY x.log /\n", "2"},
		{"CopyIgnoredFile", "FROM a\nADD a ./node_modules/ /\n", "2"},
		{"CopyIgnoredFile", "FROM a\nARG f=y.log\nCOPY $f b /\n", "3"},
		{"CopyIgnoredFile", "FROM a\nCOPY . /\n", ""},
		{"CopyIgnoredFile", "FROM a\nCOPY --from=b x.log /\n", ""},
		{"CopyIgnoredFile", "FROM a\nADD https://x/y.log /\n", ""},
		{"CopyIgnoredFile", "FROM a\nONBUILD COPY x.log /\n", ""},

		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY . .\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_HAS_IGNORE_FILE);
}

static void copies_from_a_context_without_an_ignore_file(void **state)
{
	static const struct lint_row rows[] = {
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY . .\n", "2"},
		{"CopyAllWithoutIgnoreFile", "FROM a\nADD --chown=1 ./ /x\n", "2"},
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY * /x/\nCOPY [\"/\", \"/y\"]\n", "2 3"},
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY src .\n", ""},
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY --from=b . .\n", ""},
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY *.c .\n", ""},
		{"CopyAllWithoutIgnoreFile", "FROM a\nONBUILD COPY . .\n", ""},
	};
	static const struct lint_row unknown[] = {
		{"CopyAllWithoutIgnoreFile", "FROM a\nCOPY . .\n", ""},
		{"CopyIgnoredFile", "FROM a\nCOPY x.log /\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_HAS_NO_IGNORE_FILE);
	CHECK(unknown, CONTEXT_UNKNOWN);
}

static void remote_sources_and_modes(void **state)
{
	static const struct lint_row rows[] = {
		{"RemoteAddWithoutChecksum", "FROM a\nADD https://x/y /\n", "2"},
		{"RemoteAddWithoutChecksum", "FROM a\nADD https://x/y.git#main /\n", "2"},
		{"RemoteAddWithoutChecksum", "FROM a\nADD git@x:y.git /\n", "2"},
		{"RemoteAddWithoutChecksum", "FROM a\nADD --checksum=sha256:12 https://x/y /\n",
			""},
		{"RemoteAddWithoutChecksum",
			"FROM a\nADD https://x/y.git#0123456789012345678901234567890123456789 /\n",
			""},
		{"RemoteAddWithoutChecksum", "FROM a\nADD x.tar /\n", ""},

		{"WorldWritable", "FROM a\nRUN chmod -R 777 /x\n", "2"},
		{"WorldWritable", "FROM a\nCOPY --chmod=0666 a /\n", "2"},
		{"WorldWritable", "FROM a\nRUN a && \\\n chmod a+rwx /x\n", "3"},
		{"WorldWritable", "FROM a\nRUN chmod 1777 /tmp\n", ""},
		{"WorldWritable", "FROM a\nRUN chmod 755 /x; chmod +x y; chmod g+w z\n", ""},
		{"WorldWritable", "FROM a\nCOPY --chmod=u=rwX,go=rX a /\n", ""},
		{"WorldWritable", "FROM a\nRUN echo chmod 777 /x\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

static void waivers_for_what_is_not_there(void **state)
{
	static const struct lint_row rows[] = {
		{"UnknownRule", "# check=skip=StageNameCasing,Nope\nFROM a\n", "1"},
		{"UnknownRule", "FROM a\n# safebuild: ignore=RunAsRoot it is so\nRUN x\n", "2"},
		{"UnknownRule", "FROM a\nRUN x \\\n# check=skip=Nope\n y\n", "3"},
		{"UnknownRule", "# check=experimental=Nope;error=true\nFROM a\n", "1"},
		{"UnknownRule", "# check=skip=all\nFROM a\n", ""},
		{"UnknownRule", "# check=skip=stagenamecasing\nFROM a\n", ""},
		{"UnknownRule", "FROM a\n# safebuild: ignore=RunsAsRoot,SudoInRun why\nRUN x\n",
			""},
		{"UnknownRule", "FROM a\n# safebuild ignores Nope\nRUN x\n", ""},
	};

	(void)state;
	CHECK(rows, CONTEXT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(style_of_instructions),
		cmocka_unit_test(stages_and_their_bases),
		cmocka_unit_test(images_that_are_at_hand),
		cmocka_unit_test(variables),
		cmocka_unit_test(ports),
		cmocka_unit_test(copies_from_a_context_with_an_ignore_file),
		cmocka_unit_test(copies_from_a_context_without_an_ignore_file),
		cmocka_unit_test(remote_sources_and_modes),
		cmocka_unit_test(waivers_for_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
