/* SPDX-License-Identifier: MIT */
#include "inspect/capabilities.h"

#include <endian.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/strv.h"
#include "layer/caps.h"

/* By number, as in linux/capability.h. */
static const char *const names[] = {"cap_chown", "cap_dac_override", "cap_dac_read_search",
	"cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid", "cap_setuid", "cap_setpcap",
	"cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin",
	"cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio",
	"cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot",
	"cap_sys_nice", "cap_sys_resource", "cap_sys_time", "cap_sys_tty_config", "cap_mknod",
	"cap_lease", "cap_audit_write", "cap_audit_control", "cap_setfcap", "cap_mac_override",
	"cap_mac_admin", "cap_syslog", "cap_wake_alarm", "cap_block_suspend", "cap_audit_read",
	"cap_perfmon", "cap_bpf", "cap_checkpoint_restore"};

/* What a program gets by itself (permitted) or from who starts it (inheritable). */
char *sb_capabilities_text(const void *value, size_t len)
{
	struct vfs_ns_cap_data caps;
	size_t ignored = 0;
	SB_AUTO_STRV given = SB_STRV_INIT;

	if (!sb_caps_to_disk(value, len, 0, &caps, &ignored))
		return sb_strdup("(unreadable)");
	for (unsigned i = 0; i < 64; i++) {
		const uint32_t bit = UINT32_C(1) << (i % 32);
		const uint32_t set = le32toh(caps.data[i / 32].permitted) |
				     le32toh(caps.data[i / 32].inheritable);

		if ((set & bit) == 0)
			continue;
		if (i < sizeof(names) / sizeof(names[0]))
			sb_strv_add(&given, names[i]);
		else
			sb_strv_addf(&given, "cap_%u", i);
	}
	return given.len > 0 ? sb_strv_join(&given, ",") : NULL;
}
