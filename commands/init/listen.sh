# shellcheck shell=dash
# listen SECONDS PORT…: says `ready`, and takes a connection on each port that nothing listens on yet. It ends when each has had
# one, or after these seconds. perl-base is on every Debian.
listen() {
  perl -MIO::Select -MIO::Socket::INET -e '
    $| = 1;
    my $select = IO::Select->new;
    alarm shift;
    for my $port (@ARGV) {
      my $socket = IO::Socket::INET->new(LocalPort => $port, Listen => 5, ReuseAddr => 1, Proto => "tcp");
      $select->add($socket) if $socket;
    }
    print "ready\n";
    while ($select->count) {
      for my $socket ($select->can_read) {
        $socket->accept;
        $select->remove($socket);
        close $socket;
      }
    }' "$@" 2>/dev/null || :
}
