/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "inspect/facts.h"

static const char *const shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish",
	"csh", "tcsh", "busybox", "toybox", "pwsh", NULL};
static const char *const package_managers[] = {"apt", "apt-get", "aptitude", "dpkg", "apk", "yum",
	"dnf", "dnf5", "microdnf", "tdnf", "rpm", "zypper", "pacman", "opkg", "emerge",
	"xbps-install", "nix-env", "brew", "pip", "pip3", "pipx", "uv", "poetry", "conda", "mamba",
	"npm", "npx", "yarn", "pnpm", "gem", "bundle", "cargo", "composer", NULL};

static bool is_in(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* The name of what stands in a folder for programs; NULL for all else. */
static const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *folder = slash;

	if (slash == NULL)
		return NULL;
	while (folder > path && folder[-1] != '/')
		folder--;

	const size_t len = (size_t)(slash - folder);
	const bool is_for_programs = (len == 3 && memcmp(folder, "bin", 3) == 0) ||
				     (len == 4 && memcmp(folder, "sbin", 4) == 0) ||
				     (len == 7 && memcmp(folder, "busybox", 7) == 0);

	return is_for_programs ? slash + 1 : NULL;
}

static bool is_program(const struct sb_file_entry *entry)
{
	return entry->is_visible && entry->change != SB_FILE_REMOVED &&
	       (entry->type == 'l' || (entry->type == '-' && (entry->mode & 0111) != 0));
}

void sb_facts_add_programs(struct sb_inspector *in)
{
	struct sb_inspection *report = in->report;

	SB_ARRAY_FOREACH (&report->layers, layer) {
		SB_ARRAY_FOREACH (&layer->entries, entry) {
			const char *name = is_program(entry) ? program_name(entry->path) : NULL;

			if (name != NULL && is_in(name, shells))
				sb_strv_add(&report->shells, entry->path);
			if (name != NULL && is_in(name, package_managers))
				sb_strv_add(&report->package_managers, entry->path);
		}
	}
	sb_strv_sort(&report->shells);
	sb_strv_sort(&report->package_managers);
}
