# shellcheck shell=dash
# side_by_side MOST LANE…: runs `lane LANE` for each, at most so many at a time; the first one alone, until it has ended or says
# that it has passed. After one that failed none begins, and those that have begun end. Sets `status` to that of the first that
# failed, else to 0. Lanes speak by a pipe, which is open as 6.
side_by_side() {
  most=$1 room=1 going=0 status=0
  shift
  for each; do
    while [ "$going" -ge "$room" ]; do hear_lane; done
    [ "$status" = 0 ] || break
    # A shell of its own, since a lost connection ends the inner one.
    ( (lane "$each"); echo "$?" >&6) &
    going=$((going + 1))
  done
  while [ "$going" -gt 0 ]; do hear_lane; done
}
hear_lane() {
  read -r heard <&6
  room=$most
  [ "$heard" != passed ] || return 0
  going=$((going - 1))
  [ "$status" != 0 ] || status=$heard
}
