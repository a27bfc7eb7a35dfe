/* own_mounts COMMAND [ARGUMENT...]: run a command whose mounts are its own, below a root that is one
 *
 * In a chroot the root is a folder of somebody else's mount: nothing can be made private, user namespaces are refused,
 * and whoever enters a container's mount namespace lands outside. So the tree below / is cloned and laid over the root
 * of a new mount namespace. Needs root, Linux 5.2 and /proc; status 126 and the cause on stderr where that is refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "no mounts of our own: %s: %s\n", what, strerror(errno));
	return 126;
}

int main(int argc, char **argv)
{
	char folder[PATH_MAX];
	if (argc < 2 || !getcwd(folder, sizeof folder))
		return fail("usage: own_mounts COMMAND...");
	if (unshare(CLONE_NEWNS))
		return fail("unshare");
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int self = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (root < 0 || self < 0)
		return fail("/proc");
	/* entering the namespace that one is in leads to its real root, in a chroot, too */
	if (setns(self, CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail("private mounts");
	int tree = open_tree(root, "",
			     AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return fail("clone of the root");
	if (fchdir(tree) || chroot(".") || chdir(folder))
		return fail("change of the root");
	execvp(argv[1], argv + 1);
	return fail(argv[1]);
}
