# shellcheck shell=dash
# side_by_side MOST LANE…: runs `lane LANE` for each, at most so many at a time. After one that failed none begins, and those that
# have begun end. Sets `status` to that of the first that failed, else to 0. They report to a pipe, which is open as 6.
side_by_side() {
  most=$1 going=0 status=0
  shift
  for each; do
    while [ "$going" -ge "$most" ]; do lane_ended; done
    [ "$status" = 0 ] || break
    # A shell of its own, since a lost connection ends the inner one.
    ( (lane "$each"); echo "$?" >&6) &
    going=$((going + 1))
  done
  while [ "$going" -gt 0 ]; do lane_ended; done
}
lane_ended() {
  read -r ended <&6
  going=$((going - 1))
  [ "$status" != 0 ] || status=$ended
}
