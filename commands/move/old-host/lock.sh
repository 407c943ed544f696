# shellcheck shell=dash
# What stops, starts and decides is one at a time, up to the end of this shell.
exec 6>>"/run/botgarden/move-$bot.lock"
flock 6
