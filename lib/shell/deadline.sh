# shellcheck shell=dash
begin_wait() { read -r uptime _ </proc/uptime; wait_end=$((${uptime%%.*} + $1)); }
time_left() { read -r uptime _ </proc/uptime; left=$((wait_end - ${uptime%%.*})); [ "$left" -gt 0 ]; }
