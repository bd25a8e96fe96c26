/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "safebuild.h"

#include "base/mem.h"
#include "base/size.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/usage_table.h"

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err);
static void release(void *fields);

struct prune_fields {
	const char *root;
	bool is_all;
	bool as_json;
	bool is_forced;
	uint64_t older_than_s;
	struct keep {
		bool is_given;
		uint64_t bytes;
	} keep;
	struct sb_strv filters;
};

/* "90", "90s", "15m", "24h", "7d", "2w", as a sum too: "1h30m". */
static int parse_duration(void *field, const char *value, struct sb_error *err)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t *seconds = field;
	const char *p = value;

	*seconds = 0;
	do {
		const size_t digits = strspn(p, "0123456789");
		sb_autofree char *text = sb_memdup0(p, digits);
		uint64_t number = 0;
		uint64_t factor = 0;

		p += digits;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (*p == units[i].unit || (*p == '\0' && i == 0))
				factor = units[i].seconds;
		if (factor == 0 || !sb_number_parse(text, 10, UINT32_MAX, &number))
			return sb_fail(err, SB_E_USAGE,
				"'%s' is not a time such as 90s, 15m, 24h, 7d or 1h30m", value);
		*seconds += number * factor;
		p += *p != '\0';
	} while (*p != '\0');
	return 0;
}

static int parse_keep(void *field, const char *value, struct sb_error *err)
{
	struct keep *keep = field;

	keep->is_given = true;
	return sb_size_parse(value, &keep->bytes, err);
}

static int parse_filter(void *field, const char *value, struct sb_error *err)
{
	(void)err;
	sb_strv_add(field, value);
	return 0;
}

#define FIELD(name) offsetof(struct prune_fields, name)

static const struct sb_option options[] = {
	{"all", 'a', SB_OPTION_FLAG, NULL, FIELD(is_all),
		"also unpacked layers of images, and cache mounts", NULL},
	{"older-than", 0, SB_OPTION_PARSED, "TIME", FIELD(older_than_s),
		"only what was not used for so long: 90s, 15m, 24h, 7d", parse_duration},
	{"keep-bytes", 0, SB_OPTION_PARSED, "SIZE", FIELD(keep),
		"keep what was used last, up to SIZE: 500m, 20g", parse_keep},
	{"filter", 0, SB_OPTION_PARSED, "FILTER", FIELD(filters),
		"only type=layer, type=mount, type=blob or id=HEX (repeatable)", parse_filter},
	{"force", 'f', SB_OPTION_FLAG, NULL, FIELD(is_forced),
		"taken for docker's sake: nothing is asked", NULL},
	{"json", 0, SB_OPTION_FLAG, NULL, FIELD(as_json), "JSON instead of the table", NULL},
	SB_OPTION_ROW_ROOT(struct prune_fields, root),
	SB_OPTION_ROW_END,
};

const struct sb_command sb_command_prune = {
	.name = "prune",
	.usage = "prune [options]",
	.summary = "remove cached steps and layers from the store",
	.details =
		"Without options: cached steps and unpacked layers that belong to no image of the\n"
		"store. Images stay as they are, and what running builds use stays too.\n",
	.options = options,
	.fields_size = sizeof(struct prune_fields),
	.run = run,
	.release = release,
};

static int run(const struct sb_cli *cli, const void *fields, const struct sb_strv *words,
	struct sb_error *err)
{
	const struct prune_fields *f = fields;
	struct sb_prune_options prune = SB_PRUNE_OPTIONS_INIT;
	struct sb_usage *usage = NULL;
	uint64_t bytes = 0;
	size_t len = 0;

	(void)words;
	prune.root = f->root;
	prune.all = f->is_all;
	prune.older_than_s = (int64_t)f->older_than_s;
	prune.has_keep_bytes = f->keep.is_given;
	prune.keep_bytes = f->keep.bytes;
	prune.filters = f->filters.len > 0 ? (const char *const *)f->filters.items : NULL;
	if (sb_prune(&prune, &usage, &len, &bytes, err) < 0)
		return sb_report_advise(err);
	if (f->as_json) {
		sb_usage_print_json(cli->out, usage, len, "freed", bytes);
	} else {
		sb_autofree char *size = sb_size_format(bytes);

		sb_usage_print_table(cli->out, usage, len);
		(void)fprintf(cli->out, "freed %s\n", size);
	}
	sb_usage_free(usage, len);
	return SB_EXIT_DONE;
}

static void release(void *fields)
{
	struct prune_fields *f = fields;

	sb_strv_release(&f->filters);
}
