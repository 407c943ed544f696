# shellcheck shell=dash
install_pair() {
  # Of all of it: a chain that is completed, or another key, is another pair.
  fingerprint=$(cat "$2/fullchain.pem" "$2/privkey.pem" | sha256sum | cut -c 1-16)
  target=/etc/botgarden/tls/$1/$fingerprint
  previous=$(readlink /etc/botgarden/tls/$1/current || :)
  if [ ! -d "$target" ]; then
    rm -rf "$target.new"
    mkdir -m 0700 "$target.new"
    cp -L "$2/fullchain.pem" "$2/privkey.pem" "$target.new/"
    chmod 0600 "$target.new/privkey.pem"
    sync "$target.new/fullchain.pem" "$target.new/privkey.pem"
    mv -T "$target.new" "$target"
  fi
  ln -sfn "$fingerprint" "$target.link"
  mv -fT "$target.link" /etc/botgarden/tls/$1/current
  # The one before stays, in case somebody looks for it.
  for old in /etc/botgarden/tls/$1/*/; do
    case $(basename "$old") in "$fingerprint" | "$previous" | current) ;; *) rm -rf "$old" ;; esac
  done
}
