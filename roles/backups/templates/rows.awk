# Rows by table of a dump as SQL, as `ROWS<tab>TABLE`: a row of COPY is always one line. The name stands as the dump has it.
copying && $0 == "\\." { print rows "\t" table; copying = 0; next }
copying { rows++; next }
/^COPY .* FROM stdin;$/ {
  table = substr($0, 6)
  match(table, /^("([^"]|"")*"|[^".( ]+)(\.("([^"]|"")*"|[^".( ]+))?/)
  table = substr(table, 1, RLENGTH)
  rows = 0
  copying = 1
}
/^-- PostgreSQL database dump complete$/ { complete = 1 }
END { exit !complete }
