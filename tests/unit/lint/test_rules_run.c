/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lint_fixture.h"

#define CHECK(rows) lint_check_rows(rows, sizeof(rows) / sizeof((rows)[0]), CONTEXT_UNKNOWN)

static void secrets_that_are_copied(void **state)
{
	static const struct lint_row rows[] = {
		/* The talk's own. */
		{"SecretCopiedThenRemoved",
			"FROM a\nCOPY super-secure.txt .\nRUN rm super-secure.txt\n", "2"},
		{"SecretCopiedThenRemoved",
			"FROM a\nCOPY super-secure.txt /etc/secret.txt\nRUN rm /etc/secret.txt\n",
			"2"},
		{"SecretCopiedThenRemoved",
			"FROM a\nWORKDIR /a\nCOPY .npmrc ./\nRUN npm ci && rm -f .npmrc\n", "3"},
		{"SecretCopiedThenRemoved",
			"FROM a\nCOPY id_rsa /root/.ssh/\nRUN x\nRUN rm -rf ~/.ssh\n", "2"},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY . /app\nRUN cd /app && rm .env\n", "2"},
		{"SecretCopiedThenRemoved",
			"FROM a AS b\nCOPY k.pem /k.pem\nFROM b\nRUN rm /k.pem\n", "2"},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY a.key /tmp/\nRUN rm -rf /tmp/*\n", "2"},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY a.key /tmp/\nRUN rm -rf /var/tmp/*\n",
			""},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY .env /a/\nFROM a\nRUN rm /a/.env\n", ""},
		{"SecretCopiedThenRemoved", "FROM a\nRUN rm /x/.env\nCOPY .env /x/\n", ""},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY .env /x/\nRUN echo rm /x/.env\n", ""},
		{"SecretCopiedThenRemoved", "FROM a\nCOPY app.tar /x/\nRUN rm /x/app.tar\n", ""},

		{"SecretFileCopied", "FROM a\nCOPY .env .\n", "2"},
		{"SecretFileCopied", "FROM a\nADD a conf/server.key /x/\n", "2"},
		{"SecretFileCopied", "FROM a\nCOPY x /root/.netrc\n", "2"},
		{"SecretFileCopied", "FROM a\nCOPY <<E /root/.npmrc\nx\nE\n", "2"},
		{"SecretFileCopied", "FROM a\nONBUILD COPY db-credentials.json /\n", "2"},
		{"SecretFileCopied", "FROM a AS b\nCOPY token.txt /\nFROM a\n", "2"},
		{"SecretFileCopied",
			"FROM a\nCOPY .env.example ca.pem id_rsa.pub nodesource.gpg.key /\n", ""},
		{"SecretFileCopied", "FROM a\nCOPY secrets.py tokens.go password.md /src/\n", ""},
		{"SecretFileCopied", "FROM a\nCOPY --from=b /etc/passwd /etc/group /etc/\n", ""},
		{"SecretFileCopied", "FROM a\nCOPY .env .\nRUN rm .env\n", ""},

		{"CopiedThenRemoved",
			"FROM a\nCOPY app.tar /x/\nRUN tar xf /x/app.tar && rm /x/app.tar\n", "2"},
		{"CopiedThenRemoved", "FROM a\nCOPY a b /tmp/\nRUN rm /tmp/b\n", "2"},
		{"CopiedThenRemoved",
			"FROM a\nWORKDIR /w\nADD x.deb .\nRUN dpkg -i x.deb\nRUN rm -f x.deb\n",
			"3"},
		{"CopiedThenRemoved", "FROM a\nCOPY src /src\nRUN make -C /src && rm -rf /src\n",
			"2"},
		{"CopiedThenRemoved", "FROM a\nCOPY x /x\nRUN rm /y\n", ""},
		{"CopiedThenRemoved", "FROM a\nCOPY . /x\nRUN rm -rf /x/docs\n", ""},
		{"CopiedThenRemoved", "FROM a\nCOPY x /x\nRUN rm -rf $unknown/x\n", ""},
		{"CopiedThenRemoved",
			"FROM a\nRUN --mount=type=bind,target=/x cp /x/a / && rm /a\n", ""},
	};

	(void)state;
	CHECK(rows);
}

#define GITHUB \
	"ghp_" \
	"0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX"
#define RANDOM "q7Jx2Vn9Rk4LsW8bTz3YhP6mCd1GfA5e"

static void values_that_look_like_secrets(void **state)
{
	static const struct lint_row rows[] = {
		{"SecretValue", "FROM a\nENV a=" GITHUB "\n", "2"},
		{"SecretValue",
			"FROM a\nENV a=AKIAIOSFODNN7"
			"ABCDEFG\n",
			"2"},
		{"SecretValue", "FROM a\nLABEL x=y \\\n a=\"" GITHUB "\"\n", "3"},
		{"SecretValue",
			"FROM a\nRUN <<E\ngit clone https://u:s3cret"
			"@host/x\nE\n",
			"3"},
		{"SecretValue",
			"FROM a\nCMD [\"x\", \"glpat-"
			"abcdefghij0123456789\"]\n",
			"2"},
		{"SecretValue",
			"FROM a\nCOPY <<E /k\n-----BEGIN RSA PRIVATE "
			"KEY-----\nx\nE\n",
			"3"},
		{"SecretValue",
			"FROM a\nRUN curl -H 'X: eyJhbGciOiJIUzI1NiJ9"
			".eyJzdWIiOiIxMjM0NTY3ODkwIn0"
			".dozjgNryP4J3jVmNHl0w5N\" x'\n",
			"2"},
		{"SecretValue",
			"FROM a\nARG a=xoxb"
			"-123456789012-abcdefgh\n",
			"2"},
		{"SecretValue",
			"FROM a\nARG a=sk_live"
			"_4eC39HqLyjWDarjtT1zdp7dc\n",
			"2"},
		{"SecretValue", "FROM a\nENV whatever=" RANDOM "\n", "2"},
		{"SecretValue", "FROM a\nENV API_KEY=d41d8cd98f00b204e9800998ecf8427e\n", "2"},
		{"SecretValue", "FROM a\nRUN TOKEN=" RANDOM " ./x\n", "2"},
		{"SecretValue", "FROM a\nRUN ./x --api-key=" RANDOM "\n", "2"},
		{"SecretValue",
			"FROM a\nENV a=AKIAIOSFODNN7"
			"EXAMPLE b=ghp_"
			"short\n",
			""},
		{"SecretValue", "FROM a\nENV a=/usr/local/lib/python3.11/site-packages/x\n", ""},
		{"SecretValue",
			"FROM a\nENV u=https://github.com/a/b/releases/download/v1.2.3/x.tar.gz\n",
			""},
		{"SecretValue",
			"FROM a\nENV SHA=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
			"7852b855\n",
			""},
		{"SecretValue", "FROM a\nENV x=e3b0c44298fc1c149afbf4c8996fb924\n", ""},
		{"SecretValue", "FROM a\nENV x=550e8400-e29b-41d4-a716-446655440000\n", ""},
		{"SecretValue", "FROM a\nENV V=1.2.3-alpine3.18-r0-20240101T123456Z\n", ""},
		{"SecretValue", "FROM a\nENV x=MyApplicationConfigurationManagerFactory\n", ""},
		{"SecretValue", "FROM a\nENV x=postgresql-client-15-debian-bookworm-backports\n",
			""},
		{"SecretValue", "FROM a\nENV K=$KEY P=${PASSWORD:-none}\n", ""},
		{"SecretValue",
			"FROM a\nRUN git clone https://$USER:$TOKEN@host/x https://host:80/y\n",
			""},
		{"SecretValue", "FROM a\nENV x=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", ""},
		{"SecretValue", "FROM a\nRUN echo '" RANDOM "' | sha256sum -c\n", ""},
		{"SecretValue", "# ENV a=" GITHUB "\nFROM a\n", ""},
		{"SecretValue", "FROM a\nRUN KEY_SHA512=" RANDOM " x\n", ""},
		{"SecretValue",
			"FROM a\nRUN key=B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8 gpg --recv\n",
			""},
		{"SecretValue", "FROM a\nENV GPG_KEY_ID=" RANDOM "\n", ""},
	};

	(void)state;
	CHECK(rows);
}

static void caches_of_package_managers(void **state)
{
	static const struct lint_row rows[] = {
#define LEFT(run) {"PackageCacheLeft", "FROM a\nRUN " run "\n", "2"}
#define NONE(run) \
	{ \
		"PackageCacheLeft", "FROM a\nRUN " run "\n", "" \
	}
		LEFT("apt-get update && apt-get install -y x"),
		LEFT("apt update; apt install x; rm -rf /var/lib/dpkg"),
		LEFT("rm -rf /var/lib/apt/lists/* && apt-get update"),
		LEFT("apt-get update && apt-get clean"),
		LEFT("set -e; if true; then apt-get -q update; fi"),
		LEFT("bash -c 'apt-get update'"),
		LEFT("[\"apt-get\", \"update\"]"),
		LEFT("apk add --update x"),
		LEFT("dnf install -y x"),
		LEFT("microdnf install x && dnf clean"),
		LEFT("yum -y update"),
		LEFT("zypper in x"),
		LEFT("pip install x"),
		LEFT("pip3.11 install -r r.txt"),
		LEFT("python3 -m pip install x"),
		LEFT("npm ci"),
		LEFT("yarn"),
		LEFT("yarn install --frozen-lockfile"),
		LEFT("go build -o x . && go clean"),
		LEFT("npm ci && npm cache verify"),
		LEFT("CGO_ENABLED=0 go mod download"),
		NONE("apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*"),
		NONE("apt-get update && x && rm -r /var/lib/apt/lists"),
		NONE("apt-get update && rm -rf /var/lib/{apt,dpkg,cache}/"),
		NONE("apt-get update && find /var/lib/apt/lists -type f -delete"),
		NONE("--mount=type=cache,target=/var/lib/apt apt-get update"),
		NONE("--mount=type=tmpfs,target=/var/lib/apt/lists/ apt-get update"),
		NONE("apt-get update && apt-get dist-clean"),
		NONE("apt-get install -y x"),
		NONE("echo apt-get update"),
		NONE("# apt-get update"),
		NONE("apk add --no-cache x"),
		NONE("apk add x && rm -rf /var/cache/apk/*"),
		NONE("--mount=type=cache,target=/var/cache/apk apk add x"),
		NONE("apk del x"),
		NONE("apk add --no-network --virtual .deps x"),
		NONE("dnf -y install x && dnf clean all"),
		NONE("yum install -y x && rm -rf /var/cache/*"),
		NONE("zypper in x && zypper clean -a"),
		NONE("pip install --no-cache-dir x"),
		NONE("PIP_NO_CACHE_DIR=1 pip install x"),
		NONE("--mount=type=cache,target=/root/.cache/pip pip install x"),
		NONE("--mount=type=cache,target=/home/me/.cache pip install x"),
		NONE("pip install x && rm -rf ~/.cache"),
		NONE("pip freeze"),
		NONE("npm ci && npm cache clean --force"),
		NONE("--mount=type=cache,target=/root/.npm npm ci"),
		NONE("npm run build"),
		NONE("yarn --version"),
		NONE("yarn install && yarn cache clean"),
		NONE("--mount=type=cache,target=/root/.cache/go-build go build ."),
		NONE("go build . && go clean -cache -modcache"),
		NONE("go version"),
		{"PackageCacheLeft", "FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n", ""},
		{"PackageCacheLeft", "FROM a AS b\nRUN go build .\nFROM a\nCOPY --from=b /x /\n",
			""},
		{"PackageCacheLeft", "FROM a AS b\nRUN apk add x\nFROM b\nRUN apk add y\n", "2 4"},
		{"PackageCacheLeft", "FROM a\nRUN <<E\napt-get update\napt-get install -y x\nE\n",
			"3"},
		{"PackageCacheLeft",
			"FROM a\nRUN <<-E\n\tapt-get update\n\trm -rf /var/lib/apt/lists/*\nE\n",
			""},
		{"PackageCacheLeft", "FROM a\nRUN <<E\n#!/usr/bin/env python3\napk add x\nE\n", ""},
		{"PackageCacheLeft", "FROM a\nRUN python3 <<E\nnpm ci\nE\n", ""},
		{"PackageCacheLeft", "FROM a\nRUN bash -e <<E\nnpm ci\nE\n", "3"},
		{"PackageCacheLeft", "FROM a\nSHELL [\"pwsh\"]\nRUN npm ci\n", ""},
		{"PackageCacheLeft", "FROM a\nONBUILD RUN npm ci\n", "2"},
	};

	(void)state;
	CHECK(rows);
}

static void downloads_that_are_run(void **state)
{
	static const struct lint_row rows[] = {
#define RUNS(run) {"PipeToShell", "FROM a\nRUN " run "\n", "2"}
#define FINE(run) \
	{ \
		"PipeToShell", "FROM a\nRUN " run "\n", "" \
	}
		RUNS("curl -fsSL https://x | sh"),
		RUNS("curl x|bash -s -- --yes"),
		RUNS("wget -qO- x | sudo -E bash -"),
		RUNS("set -o pipefail && curl x | tee /y | sh -eux"),
		RUNS("curl x | python3"),
		RUNS("curl x | python3 - --version 1"),
		RUNS("curl x | perl"),
		RUNS("curl x | env A=b zsh"),
		RUNS("curl x | $SHELL"),
		RUNS("curl x | /bin/sh"),
		RUNS("sh -c \"$(curl -fsSL x)\""),
		RUNS("bash <(curl -s x)"),
		RUNS("eval \"$(wget -O- x)\""),
		RUNS("eval `curl x`"),
		RUNS(". <(curl x)"),
		RUNS("bash -c 'curl x | sh'"),
		RUNS("a && (curl x | sh)"),
		RUNS("curl x | ( cd /y; sh )"),
		RUNS("if true; then curl x | sh; fi"),
		FINE("curl x | tar xz"),
		FINE("curl x >y && sh y"),
		FINE("curl x | python3 -m json.tool"),
		FINE("curl x | python3 -c 'import sys'"),
		FINE("curl x | perl -pe s/a/b/"),
		FINE("curl x | sh ./install.sh"),
		FINE("echo 'curl x | sh'"),
		FINE("cat x | sh"),
		FINE("curl x || sh"),
		FINE("echo \"$(curl x)\""),
		FINE("sh -c 'echo a'"),
		FINE("curl x # | sh"),
		FINE("A=$(curl x) && sh y"),
		FINE("case x in curl|sh) true;; esac"),
	};

	(void)state;
	CHECK(rows);
}

static void habits_in_steps(void **state)
{
	static const struct lint_row rows[] = {
		{"SudoInRun", "FROM a\nRUN sudo x\n", "2"},
		{"SudoInRun", "FROM a\nRUN a && \\\n  A=b /usr/bin/sudo -u c d\n", "3"},
		{"SudoInRun", "FROM a\nRUN [\"sudo\", \"x\"]\n", "2"},
		{"SudoInRun", "FROM a\nRUN apt-get install -y sudo\n", ""},
		{"SudoInRun", "FROM a\nRUN echo sudo x; # sudo y\n", ""},
		{"SudoInRun", "FROM a\nCMD sudo x\n", ""},

		{"CdHasNoEffect", "FROM a\nRUN cd /x\n", "2"},
		{"CdHasNoEffect", "FROM a\nRUN mkdir x && cd x\n", "2"},
		{"CdHasNoEffect", "FROM a\nRUN <<E\nmkdir x\ncd x\nE\n", "4"},
		{"CdHasNoEffect", "FROM a\nRUN cd /x && make\n", ""},
		{"CdHasNoEffect", "FROM a\nRUN a; (cd x)\n", ""},
		{"CdHasNoEffect", "FROM a\nRUN echo cd\n", ""},

		{"TlsVerificationOff", "FROM a\nRUN curl -sk x\n", "2"},
		{"TlsVerificationOff", "FROM a\nRUN wget --no-check-certificate x\n", "2"},
		{"TlsVerificationOff", "FROM a\nRUN pip install --trusted-host h x\n", "2"},
		{"TlsVerificationOff", "FROM a\nRUN git -c http.sslVerify=false clone x\n", "2"},
		{"TlsVerificationOff", "FROM a\nRUN apk add --allow-untrusted x.apk\n", "2"},
		{"TlsVerificationOff", "FROM a\nRUN curl -fsSL x\n", ""},
		{"TlsVerificationOff", "FROM a\nRUN echo --insecure; tar -k\n", ""},
		{"TlsVerificationOff", "FROM a\nRUN wget x\n", ""},
		{"TlsVerificationOff", "FROM a\nRUN curl https://x/-k\n", ""},

		{"AptInstallsRecommended", "FROM a\nRUN apt-get install -y x\n", "2"},
		{"AptInstallsRecommended", "FROM a\nRUN apt-get -y -o A=b install x\n", "2"},
		{"AptInstallsRecommended", "FROM a\nRUN DEBIAN_FRONTEND=x apt install y\n", "2"},
		{"AptInstallsRecommended",
			"FROM a\nRUN apt-get install --no-install-recommends x\n", ""},
		{"AptInstallsRecommended",
			"FROM a\nRUN apt-get -o APT::Install-Recommends=0 install x\n", ""},
		{"AptInstallsRecommended", "FROM a\nRUN apt-get update\n", ""},
		{"AptInstallsRecommended",
			"FROM a\nRUN echo 'APT::Install-Recommends \"0\";' >/etc/apt/apt.conf.d/x\n"
			"RUN apt-get install x\n",
			""},

		{"AptWithoutYes", "FROM a\nRUN apt-get install x\n", "2"},
		{"AptWithoutYes", "FROM a\nRUN a; apt-get -q upgrade\n", "2"},
		{"AptWithoutYes", "FROM a\nRUN sudo apt-get \\\n install x\n", "2"},
		{"AptWithoutYes", "FROM a\nRUN apt-get install -yq x\n", ""},
		{"AptWithoutYes", "FROM a\nRUN apt-get --yes install x; apt-get -qq install y\n",
			""},
		{"AptWithoutYes", "FROM a\nRUN yes | apt-get install x\n", ""},
		{"AptWithoutYes", "FROM a\nRUN apt-get update; apt-cache install\n", ""},

		{"AptUpdateAlone", "FROM a\nRUN apt-get update\n", "2"},
		{"AptUpdateAlone", "FROM a\nRUN apt update && rm x\nRUN apt install -y y\n", "2"},
		{"AptUpdateAlone", "FROM a\nRUN apt-get -y -o a=b update\n", "2"},
		{"AptUpdateAlone", "FROM a\nRUN apt-get update && apt-get install -y x\n", ""},
		{"AptUpdateAlone", "FROM a\nRUN apt-get update && ./install.sh\n", ""},
		{"AptUpdateAlone", "FROM a\nRUN apt-get update && apt-get -y upgrade\n", ""},
		{"AptUpdateAlone", "FROM a\nRUN npm update\n", ""},
	};

	(void)state;
	CHECK(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_that_are_copied),
		cmocka_unit_test(values_that_look_like_secrets),
		cmocka_unit_test(caches_of_package_managers),
		cmocka_unit_test(downloads_that_are_run),
		cmocka_unit_test(habits_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
