# shellcheck shell=dash
# as_owner FOLDER COMMAND...: runs the command as the user who owns the folder, which it finds at /mnt. What a bot has written is
# never opened by root, and what reads it reaches no folder that the bot does not.
as_owner() {
  as_owner_folder=$1
  shift
  as_owner_user=$(stat -c %u "$as_owner_folder") || return
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount --bind "$1" /mnt && cd /mnt && shift && exec "$@"' sh "$as_owner_folder" \
    setpriv --reuid "$as_owner_user" --regid "$as_owner_user" --clear-groups --no-new-privs "$@"
}
