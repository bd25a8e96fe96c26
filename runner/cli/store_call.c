/* SPDX-License-Identifier: MIT */
#include "cli/store_call.h"

#include "cli/progress.h"
#include "cli/report.h"

int sb_store_call(const struct sb_cli *cli, const struct sb_store_call *call, struct sb_error *err)
{
	struct sb_store_options store = SB_STORE_OPTIONS_INIT;
	char digest[SB_CLI_DIGEST_BYTES] = "";
	enum sb_progress progress = SB_PROGRESS_QUIET;

	if (sb_progress_parse(call->is_quiet ? "quiet" : call->progress, cli->err, &progress, err) <
		0)
		return -1;

	struct sb_renderer *renderer = sb_progress_open(progress, cli->err);

	store.root = call->root;
	store.auth_file = call->auth_file;
	store.on_event = sb_renderer_event;
	store.event_data = renderer;

	const int result = call->run(&store, call->data, digest, err);

	sb_progress_close(renderer, result < 0 ? err : NULL, sb_exit_status(err));
	if (result < 0)
		return sb_progress_failed(progress, true, err);
	(void)fprintf(cli->out, "%s\n", digest);
	return SB_EXIT_DONE;
}
