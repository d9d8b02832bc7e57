"""Hostile statements for the SQL console, from a seed: the same seed gives the same statements.

Each is (kind, statement). None may write, none may take longer than the console's two seconds, and
none may show what is not the store's.
"""

BOMB = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
TABLES = ("totals", "products", "categories", "meta", "clock", "reject_rows", "partition_state",
          "ledger_counts", "names", "recent_ids")
VIEWS = ("totals_by_minute", "totals_by_day", "categories_by_minute", "products_by_day", "ledger",
         "partitions", "rejects", "events_by_minute", "ratings_by_day")
PRAGMAS = ("journal_mode=DELETE", "wal_checkpoint(TRUNCATE)", "query_only=0", "writable_schema=1",
           "trusted_schema=1", "user_version=9", "application_id=1", "secure_delete=1",
           "wal_autocheckpoint=1", "incremental_vacuum", "auto_vacuum=1", "locking_mode=EXCLUSIVE",
           "temp_store_directory='/tmp'", "mmap_size=1000000000", "cache_size=-1000000",
           "hard_heap_limit=1", "soft_heap_limit=1", "threads=8", "optimize", "integrity_check",
           "table_info(totals)", "database_list", "function_list", "compile_options",
           "schema_version=1", "foreign_keys=1", "data_version", "page_size=512", "encoding='UTF-16'")
FUNCTIONS = ("load_extension('/tmp/x.so')", "load_extension('libc.so.6','system')",
             "readfile('/etc/passwd')", "writefile('{path}','x')", "edit('x')",
             "fts3_tokenizer('simple')", "fts3_tokenizer('x',x'4141414141414141')",
             "sqlite_version()", "sqlite_source_id()", "sqlite_compileoption_get(1)",
             "sqlite_offset(1)", "sqlite_log(1,'x')", "randomblob(900000)", "zeroblob(900000000)",
             "random()", "last_insert_rowid()", "changes()", "printf('%.*c',200000000,'x')",
             "format('%.*c',200000000,'x')", "replace(hex(zeroblob(40000000)),'0','aaaaaaaa')",
             "json_group_array(1)", "json('[' || '[')", "likelihood(1,0.5)", "unistr('x')",
             "sha3('x')", "system('id')", "eval('DELETE FROM totals')", "regexp('(a*)*b','aaaa')",
             "geopoly_area('x')", "rtreecheck('x')", "matchinfo(1)", "snippet(1)", "char(0)",
             "sqlite_rename_table(1,2,3,4,5,6,7)", "pi(1,2)", "shell_exec('id')")
SLOW = (
    BOMB + "SELECT count(*) FROM n",
    BOMB + "SELECT i FROM n WHERE i<0",
    BOMB + "SELECT max(hex(i)||upper(i)) FROM n",
    BOMB + ", m(j) AS (SELECT i FROM n UNION SELECT j+1 FROM m) SELECT count(*) FROM m",
    "WITH RECURSIVE n(i,t) AS (SELECT 1,'x' UNION ALL SELECT i+1,t||t FROM n) SELECT max(length(t)) FROM n",
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n LIMIT 3000000) "
    "SELECT group_concat(i) FROM n",
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n LIMIT 5000000) "
    "SELECT i FROM n ORDER BY i*7919%1000003 DESC",
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n LIMIT 9000000) "
    "SELECT DISTINCT hex(i)||hex(i)||hex(i) FROM n",
    "WITH a AS (SELECT 1 x UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4), b AS "
    "(SELECT 1 FROM a,a b,a c,a d,a e,a f), c AS (SELECT 1 FROM b,b d,b e) SELECT count(*) FROM c,c d",
    "SELECT count(*) FROM ledger a,ledger b,ledger c,ledger d,ledger e,ledger f,ledger g,ledger h,"
    "ledger i,ledger j,ledger k,ledger l",
    BOMB + "SELECT sum(i) OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM n",
    BOMB + "SELECT count(*) FROM n WHERE substr(hex(i),1,50) LIKE '%a%b%c%d%e%f%g%'",
)


def _quoted(random, text):
    """The same words in another writing: case, comments, blanks."""
    style = random.randrange(5)
    if style == 1:
        return text.upper()
    if style == 2:
        return "/*" + "x" * random.randrange(60) + "*/ " + text
    if style == 3:
        return "\n\t\f " + text.replace(" ", "\n", 1)
    if style == 4:
        return "-- x\n" + text + ";"
    return text


def _write(random, path):
    table = random.choice(TABLES)
    view = random.choice(VIEWS)
    return random.choice((
        f"DELETE FROM {table}", f"UPDATE {table} SET rowid=rowid", f"DROP TABLE {table}",
        f"DROP VIEW {view}", f"INSERT INTO {table} DEFAULT VALUES", f"REPLACE INTO meta VALUES('a','b')",
        f"INSERT INTO meta VALUES('{random.random()}','b') RETURNING *",
        f"WITH a AS (SELECT 1) DELETE FROM {table} RETURNING *",
        f"INSERT INTO meta VALUES('zone','x') ON CONFLICT DO UPDATE SET value='x'",
        f"CREATE TABLE t{random.randrange(99)}(a)", f"CREATE TEMP TABLE t(a)", "CREATE INDEX i ON totals(orders)",
        f"CREATE TABLE x AS SELECT * FROM {table}", f"CREATE VIEW v AS SELECT * FROM {table}",
        f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM meta; END",
        f"CREATE TEMP TRIGGER t AFTER UPDATE ON clock BEGIN DELETE FROM totals; END",
        f"CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE VIRTUAL TABLE t USING rtree(a,b,c)",
        f"CREATE VIRTUAL TABLE temp.t USING csv(filename='/etc/passwd')",
        f"ALTER TABLE {table} RENAME TO gone", f"ALTER TABLE {table} ADD COLUMN x",
        f"ALTER TABLE {table} DROP COLUMN rowid", "VACUUM", f"VACUUM INTO '{path}'", "REINDEX",
        f"ANALYZE {table}", "ANALYZE", f"DELETE FROM sqlite_schema", "UPDATE sqlite_master SET sql='x'",
        f"INSERT INTO sqlite_sequence VALUES('a',1)", "DELETE FROM sqlite_stat1"))


def _structure(random):
    n = random.choice((50, 101, 300, 1000, 5000))
    return random.choice((
        "SELECT " + "(" * n + "1" + ")" * n,
        "SELECT " + "-" * n + "1",
        "SELECT " + "NOT " * n + "1",
        "SELECT " + "1+" * n + "1",
        "SELECT " + "abs(" * min(n, 3000) + "1" + ")" * min(n, 3000),
        "SELECT " + ",".join(["1"] * n),
        "SELECT coalesce(" + ",".join(["NULL"] * n) + ")",
        " UNION ALL ".join(["SELECT 1"] * min(n, 2000)),
        "SELECT * FROM " + ",".join(f"totals t{i}" for i in range(min(n, 300))),
        "SELECT 1 WHERE 1 IN (" + ",".join(map(str, range(n))) + ")",
        "SELECT CASE " + "WHEN 0 THEN 1 " * min(n, 1500) + "END",
        "SELECT " + "(SELECT " * min(n, 2500) + "1" + ")" * min(n, 2500),
        "WITH " + ",".join(f"c{i} AS (SELECT * FROM {'c%d a,c%d b' % (i-1, i-1) if i else 'totals'})"
                           for i in range(min(n, 40))) + f" SELECT count(*) FROM c{min(n, 40)-1}",
        "SELECT '" + "x" * 30000 + "'", "SELECT \"" + "y" * 30000 + "\"", "SELECT x'" + "0" * 30000 + "'",
        "SELECT " + "9" * n, "SELECT 1e" + "9" * n, "VALUES" + ",".join(["(1)"] * n),
        "SELECT 'a' LIKE '" + "%_" * n + "'", "SELECT 'a' GLOB '" + "*[a-z]" * min(n, 3000) + "'"))


def _result(random):
    view = random.choice(VIEWS)
    table = random.choice(TABLES)
    return random.choice((
        BOMB + "SELECT i FROM n",
        BOMB + f"SELECT {','.join(['i'] * random.choice((10, 99, 100)))} FROM n",
        BOMB + "SELECT substr(hex(hex(hex(hex(hex(i))))),1,400000) FROM n",
        f"SELECT * FROM {view}", f"SELECT a.* FROM {view} a, {view} b",
        f"SELECT * FROM {table}", f"SELECT * FROM {table} a, {table} b, {table} c",
        f"SELECT group_concat(quote(raw)) FROM rejects",
        "SELECT char(9)||'<script>alert(1)</script>' AS \"</script><img src=x onerror=alert(1)>\"",
        "SELECT '<img src=x onerror=alert(1)>' AS a, x'00ff' AS b, 9e999 AS c, -9e999, 0.0/0"))


def _several(random, path):
    first = random.choice(("SELECT 1", "SELECT * FROM meta", "", "--x\n", "EXPLAIN SELECT 1"))
    gap = random.choice((";", ";;", ";\0", "; /* */ ", ";\n--\n", "\0", "; \ufeff", ";\u00a0"))
    return first + gap + _write(random, path)


def _escape(random, path):
    return random.choice((
        f"ATTACH '{path}' AS x", "ATTACH ':memory:' AS x", "ATTACH '/etc/passwd' AS x", "ATTACH '' AS x",
        f"ATTACH 'file:{path}?mode=rwc' AS x", "ATTACH 'file:retailpulse.db?immutable=1' AS x",
        "DETACH main", "DETACH temp", "SELECT * FROM sqlite_schema", "SELECT sql FROM sqlite_master",
        "SELECT * FROM sqlite_temp_schema", "SELECT * FROM main.sqlite_schema", "SELECT * FROM sqlite_stat1",
        "SELECT * FROM dbstat", "SELECT * FROM sqlite_dbpage", "SELECT * FROM bytecode('SELECT 1')",
        "SELECT * FROM tables_used('SELECT 1')", "SELECT * FROM json_each('[1,2]')",
        "SELECT * FROM json_tree('[1,2]')", "SELECT * FROM generate_series(1,1000000000)",
        "SELECT * FROM fsdir('/')", "SELECT * FROM zipfile('/x')", "SELECT * FROM completion('x')",
        "SELECT * FROM sqlite_memstat", "SELECT * FROM sqlite_stmt", "SELECT * FROM wholenumber",
        "WITH sqlite_schema AS (SELECT 1) SELECT * FROM main.sqlite_schema",
        "WITH totals_by_day AS (SELECT printf('%.*c',200000000,'x') v) SELECT length(v) FROM totals_by_day",
        "EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT 1", "EXPLAIN DELETE FROM totals"))


def _transaction(random):
    return random.choice((
        "BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "BEGIN DEFERRED TRANSACTION", "COMMIT", "END",
        "ROLLBACK", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a"))


def _pragma(random):
    text = random.choice(PRAGMAS)
    name = text.split("=")[0].split("(")[0]
    return random.choice((f"PRAGMA {text}", f"PRAGMA main.{text}", f"SELECT * FROM pragma_{name}",
                          f"SELECT * FROM pragma_{name}('totals')", f"SELECT * FROM pragma_{name}('totals','x')",
                          f"SELECT count(*) FROM (SELECT * FROM pragma_{name}) x"))


def _noise(random):
    words = ("SELECT", "FROM", "WHERE", "totals", "(", ")", ",", "*", "1", "'x'", "\"y\"", "JOIN", "ON", "=",
             "UNION", "ALL", "WITH", "AS", "ORDER BY", "LIMIT", "-1", "NULL", "CASE", "END", "\0", "\ufffd",
             "?", ":a", "@b", "$c", "[d]", "`e`", "/*", "*/", "--", ";", "||", "->>", "COLLATE", "OVER",
             "\u202e", "0x", "1e", "x'0", "\\", "\u2028", "WINDOW", "FILTER", "RETURNING", "MATERIALIZED")
    return " ".join(random.choice(words) for _ in range(random.randrange(1, 60)))


def statements(random, count, path, slow):
    """`count` statements of which `slow` would run for ever; `path` must not come to be."""
    kinds = (
        ("write", lambda: _write(random, path), 6), ("pragma", lambda: _pragma(random), 5),
        ("function", lambda: "SELECT " + random.choice(FUNCTIONS).replace("{path}", str(path)), 5),
        ("function in a query",
         lambda: "SELECT * FROM totals_by_day WHERE " + random.choice(FUNCTIONS).replace("{path}", str(path)), 2),
        ("structure", lambda: _structure(random), 4), ("result", lambda: _result(random), 2),
        ("several", lambda: _several(random, path), 4), ("escape", lambda: _escape(random, path), 5),
        ("transaction", lambda: _transaction(random), 2), ("noise", lambda: _noise(random), 4))
    made = [("slow", SLOW[i % len(SLOW)]) for i in range(slow)]
    weights = [weight for _, _, weight in kinds]
    while len(made) < count:
        kind, make, _ = random.choices(kinds, weights)[0]
        made.append((kind, _quoted(random, make())))
    random.shuffle(made)
    return made
