/* instructions.c - a plugin of qemu-user: counts the instructions that a program executes, and the vector instructions among them
 * (Advanced SIMD, also called NEON) if it is one for arm64. bench/instructions builds and runs it.
 *
 * The declarations are those of QEMU's qemu-plugin.h, version 1, which Debian does not package. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { QEMU_PLUGIN_INLINE_ADD_U64 };
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t {
	const char *target_name; /* and more */
};
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*translated)(uint64_t id,
							      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *sum,
					      uint64_t add);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*ended)(uint64_t id, void *ctx), void *ctx);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv);
extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static struct {
	uint64_t all, vector, dot;
} count;
static bool is_arm64;

/* Arm Architecture Reference Manual (DDI 0487), C4.1: data processing of Advanced SIMD has bit 31 clear and 0111 in bits 28..25. */
static int is_vector(uint32_t insn)
{
	return !(insn >> 31) && (insn >> 25 & 15) == 7;
}

/* C7.2: SDOT of vectors, and by element. */
static int is_dot(uint32_t insn)
{
	return (insn & 0xbf20fc00) == 0x0e009400 || (insn & 0xbf00f400) == 0x0f00e000;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	const size_t n = qemu_plugin_tb_n_insns(tb);
	uint64_t vector = 0, dot = 0;
	for (size_t i = 0; is_arm64 && i < n; i++) {
		uint32_t insn;
		memcpy(&insn, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof(insn));
		vector += is_vector(insn);
		dot += is_dot(insn);
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &count.all, n);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &count.vector,
						 vector);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &count.dot, dot);
}

static void ended(uint64_t id, void *ctx)
{
	(void)id;
	(void)ctx;
	fprintf(stderr, "instructions %" PRIu64, count.all);
	if (is_arm64)
		fprintf(stderr, " %" PRIu64 " %" PRIu64 "\n", count.vector, count.dot);
	else
		fprintf(stderr, " - -\n");
}

int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	is_arm64 = !strcmp(info->target_name, "aarch64");
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
