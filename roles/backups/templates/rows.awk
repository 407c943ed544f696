# Rows by table of a dump as SQL, as `ROWS<tab>TABLE`: a row of COPY is always one line. The name stands as the dump has it, but
# for a line break, which a name may hold: here it is \001.
copying && $0 == "\\." { print rows "\t" table; copying = 0; next }
copying { rows++; next }
/^COPY / {
  table = substr($0, 6)
  while (table !~ / FROM stdin;$/ && (getline more) > 0) table = table "\001" more
  match(table, /^("([^"]|"")*"|[^".( ]+)(\.("([^"]|"")*"|[^".( ]+))?/)
  table = substr(table, 1, RLENGTH)
  rows = 0
  copying = 1
}
/^-- PostgreSQL database dump complete$/ { complete = 1 }
END { exit !complete }
