/* object.c - a shared object file: may it be loaded, and its entry function. */
#include "mmi_build.h"

#include "plugin/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the file */

mm_status mmi_object_locate(const char *path, char **real, mmi_file_id *id, mm_error *e)
{
	struct stat st;
	char *resolved = realpath(path, NULL);

	if (!resolved)
		return mmi_fail(e, mmi_errno_status(errno), "it cannot be opened: %s", strerror(errno));
	char *copy = mmi_strdup(resolved);
	int missing = stat(resolved, &st);
	free(resolved);
	if (!copy)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	if (missing || !S_ISREG(st.st_mode)) {
		mmi_free(copy);
		return mmi_fail(e, MM_EIO, "it is %s, needed is a shared object file",
		                missing               ? "gone"
		                : S_ISDIR(st.st_mode) ? "a folder"
		                                      : "no regular file");
	}
	*real = copy;
	*id = (mmi_file_id){ .device = st.st_dev, .inode = st.st_ino };
	return MM_OK;
}

static mm_status stat_folder(const char *path, struct stat *st, mm_error *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash ? mmi_strdup(".") : mmi_format("%.*s", slash == path ? 1 : (int)(slash - path), path);

	if (!folder)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	int failed = stat(folder, st);
	mmi_free(folder);
	return failed ? mmi_fail(e, MM_EIO, "its folder: %s", strerror(errno)) : MM_OK;
}

/* A folder that anyone may write to is tolerable only if it is sticky and belongs to root or the user, like /tmp, and
 * then only for a file that belongs to one of them: others can neither change nor exchange it. */
static mm_status check_folder(uid_t user, const char *path, const struct stat *file, mm_error *e)
{
	struct stat folder;

	MMI_TRY(stat_folder(path, &folder, e));
	if (!(folder.st_mode & S_IWOTH))
		return MM_OK;
	bool folder_ours = folder.st_uid == 0 || folder.st_uid == user,
		 file_ours = file->st_uid == 0 || file->st_uid == user;
	if ((folder.st_mode & S_ISVTX) && folder_ours && file_ours)
		return MM_OK;
	return mmi_fail(e, MM_EABI,
	                "any user can replace the file, its folder has mode %04o, and root must not run it; use "
	                "chmod o-w on the folder",
	                (unsigned)(folder.st_mode & 07777));
}

mm_status mmi_object_safe_for(uid_t user, const char *path, const char *real, mm_error *e)
{
	struct stat st;

	if (stat(real, &st) != 0)
		return mmi_fail(e, MM_EIO, "it cannot be examined: %s", strerror(errno));
	if (st.st_uid != 0 && st.st_uid != user)
		return mmi_fail(e, MM_EABI,
		                "it belongs to user %u, needed is a file of root's or of your own, for it runs with your "
		                "rights; copy it, if "
		                "you trust it",
		                (unsigned)st.st_uid);
	if (user != 0)
		return MM_OK;
	if (st.st_mode & S_IWOTH)
		return mmi_fail(e, MM_EABI, "any user can write the file, mode %04o, and root must not run it; use chmod o-w",
		                (unsigned)(st.st_mode & 07777));
	MMI_TRY(check_folder(user, real, &st, e));
	return check_folder(user, path, &st, e);
}

mm_status mmi_object_safe(const char *path, const char *real, mm_error *e)
{
	return mmi_object_safe_for(geteuid(), path, real, e);
}

/* ---------------------------------------------------------------- the object */

static mm_status explain_dlopen(mm_error *e)
{
	const char *text = dlerror();
	const char *hint = "";

	if (text && strstr(text, "undefined symbol"))
		hint = "; a plugin gets everything of mmcore through the host's tables and links nothing of it: link it with "
			   "-Wl,-z,defs to find such symbols";
	const bool no_memory = !text || strstr(text, strerror(ENOMEM)); /* all that dlopen tells is a text */
	return mmi_fail(e, no_memory ? MM_ENOMEM : MM_EABI, "it cannot be loaded: %s%s", text ? text : "out of memory",
	                hint);
}

/* True if the address lies in the opened object itself, not in a library it depends on. */
static bool belongs(void *handle, const void *address)
{
	struct link_map *map = NULL;
	Dl_info info;

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map || !dladdr(address, &info) || !info.dli_fname)
		return false;
	return !strcmp(info.dli_fname, map->l_name);
}

static mm_status find_query(void *handle, mm_plugin_query *query, mm_error *e)
{
	void *symbol = dlsym(handle, MM_PLUGIN_QUERY_SYMBOL);

	if (!symbol)
		return mmi_fail(e, MM_EABI,
		                "it has no symbol " MM_PLUGIN_QUERY_SYMBOL ": no mmcore plugin, or one for another "
		                "major version of the plugin ABI (this mmcore has %d)",
		                MM_ABI_MAJOR);
	if (!belongs(handle, symbol))
		return mmi_fail(e, MM_EABI,
		                "its symbol " MM_PLUGIN_QUERY_SYMBOL " belongs to a library it depends on; load that "
		                "library itself");
	memcpy(query, &symbol, sizeof symbol);
	return MM_OK;
}

/* The handle is dropped on purpose: plugins stay mapped, since threads and static destructors of theirs may live on. */
mm_status mmi_object_open(const char *real, mm_plugin_query *query, mm_error *e)
{
	dlerror();
	void *handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!handle) /* a moment's want of memory has a dozen texts there, "no such file" among them */
		handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	return handle ? find_query(handle, query, e) : explain_dlopen(e);
}
