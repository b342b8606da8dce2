//! The limits that our figures are compared with, measured in the same run on the same machine.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::Duration;

use tenantry_testkit::postgres::Server;

/// An actix server that answers every request with an empty body: as fast as HTTP gets here.
pub(crate) struct EmptyHandler {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// The argument with which this program is its own empty handler.
pub(crate) const EMPTY_HANDLER: &str = "--empty-handler";

impl EmptyHandler {
    /// Starts this program again as an empty handler.
    pub(crate) fn start() -> io::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child =
            Command::new(std::env::current_exe()?).arg(EMPTY_HANDLER).arg(address.to_string()).spawn()?;
        let handler = Self { child, address };
        for _ in 0..500 {
            if TcpStream::connect(address).is_ok() {
                return Ok(handler);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("the empty handler did not start"))
    }

    /// What the program does when it is the empty handler.
    pub(crate) fn serve(address: &str) -> io::Result<()> {
        use actix_web::{App, HttpResponse, HttpServer, rt, web};
        rt::System::new().block_on(
            HttpServer::new(|| App::new().default_service(web::to(HttpResponse::Ok))).bind(address)?.run(),
        )
    }
}

impl Drop for EmptyHandler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Per second: the inserts of one provisioned account (account, event, answer), one transaction each, by `pgbench` in
/// this tenant database. Without the lock on the head of the log, so the limit is a strict one.
pub(crate) fn account_inserts(
    server: &Server,
    database: &str,
    clients: usize,
    duration: Duration,
) -> io::Result<f64> {
    let prepare = "CREATE TABLE IF NOT EXISTS pattern AS SELECT a.*, e.type AS event_type, e.envelope, e.hash AS event_hash, \
        i.body FROM accounts a JOIN events e ON e.account_id = a.id CROSS JOIN \
        (SELECT convert_to(repeat('x', 250), 'UTF8') AS body) i LIMIT 1; \
        CREATE SEQUENCE IF NOT EXISTS pattern_sequence START 1000000000";
    server.query(database, prepare).map_err(io::Error::other)?;
    let script = "BEGIN;\n\
        INSERT INTO idempotency (scope, fingerprint, status, body, created_at) \
            SELECT gen_random_uuid()::text, hash, 201, body, created_at FROM (SELECT event_hash AS hash, * FROM pattern) p;\n\
        INSERT INTO accounts (id, tenant_id, user_id, config_id, config_version, config_hash, status, state, meta, version, created_at, updated_at) \
            SELECT gen_random_uuid()::text, tenant_id, user_id, config_id, config_version, config_hash, status, state, meta, version, created_at, updated_at FROM pattern;\n\
        INSERT INTO events (sequence, id, type, account_id, envelope, previous, hash) \
            SELECT nextval('pattern_sequence'), gen_random_uuid()::text, event_type, id, envelope, event_hash, event_hash FROM pattern;\n\
        COMMIT;\n";
    let seconds = duration.as_secs().max(1).to_string();
    pgbench(server, database, script, &["--protocol=prepared", "--time", &seconds], clients)
}

/// Per second: deliveries that are claimed with `SKIP LOCKED` and settled, one at a time, a commit each, in this many connections.
/// Nothing is sent in between.
pub(crate) fn one_delivery_at_a_time(server: &Server, clients: usize, duration: Duration) -> io::Result<f64> {
    let prepare = "CREATE TABLE IF NOT EXISTS one_at_a_time \
            (id BIGSERIAL PRIMARY KEY, state TEXT NOT NULL DEFAULT 'pending', lease TEXT, body TEXT, answer TEXT); \
        CREATE INDEX IF NOT EXISTS one_at_a_time_pending ON one_at_a_time (id) WHERE state = 'pending'; \
        TRUNCATE one_at_a_time; \
        INSERT INTO one_at_a_time (body) SELECT repeat('x', 600) FROM generate_series(1, 200000)";
    server.query("postgres", prepare).map_err(io::Error::other)?;
    let script = "UPDATE one_at_a_time SET state = 'claimed', lease = gen_random_uuid()::text WHERE id = \
            (SELECT id FROM one_at_a_time WHERE state = 'pending' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) \
            RETURNING id \\gset\n\
        UPDATE one_at_a_time SET state = 'delivered', answer = repeat('x', 100) WHERE id = :id;\n";
    let seconds = duration.as_secs().max(1).to_string();
    pgbench(server, "postgres", script, &["--protocol=prepared", "--time", &seconds], clients)
}

/// Per second: the writes of one trade (the account's row, the trade, the event), one transaction each, by `pgbench` in this tenant
/// database, for accounts as they come. Without the lock on the head of the log, so the limit is a strict one.
pub(crate) fn trade_writes(
    server: &Server,
    database: &str,
    clients: usize,
    duration: Duration,
) -> io::Result<f64> {
    let prepare = "CREATE TABLE IF NOT EXISTS trader AS \
        SELECT row_number() OVER (ORDER BY id) AS number, id FROM accounts ORDER BY id LIMIT 1000; \
        CREATE UNIQUE INDEX IF NOT EXISTS trader_number ON trader (number); \
        CREATE TABLE IF NOT EXISTS pattern AS SELECT t.trade, t.realised, e.type, e.envelope, e.hash \
        FROM trades t JOIN events e ON e.sequence = t.sequence LIMIT 1; \
        CREATE SEQUENCE IF NOT EXISTS pattern_sequence START 1000000000; ANALYZE trader, pattern";
    server.query(database, prepare).map_err(io::Error::other)?;
    let script = "\\set n random(1, 1000)\n\
        BEGIN;\n\
        UPDATE accounts a SET state = a.state, version = a.version + 1, updated_at = a.updated_at + 1 \
            FROM trader t WHERE t.number = :n AND a.id = t.id;\n\
        INSERT INTO trades (account_id, trade_id, sequence, place, trade, realised) \
            SELECT id, 'p' || nextval('pattern_sequence'), lastval(), 0, trade, realised FROM trader, pattern WHERE number = :n;\n\
        INSERT INTO events (sequence, id, type, account_id, envelope, previous, hash) \
            SELECT lastval(), gen_random_uuid()::text, type, id, envelope, hash, hash FROM trader, pattern WHERE number = :n;\n\
        COMMIT;\n";
    let seconds = duration.as_secs().max(1).to_string();
    pgbench(server, database, script, &["--protocol=prepared", "--time", &seconds], clients)
}

/// How long raw `CREATE DATABASE … TEMPLATE template1` statements take, `count` in all, so many at a time.
pub(crate) fn raw_databases(server: &Server, clients: usize, count: usize) -> io::Result<Duration> {
    let each = (count / clients).max(1).to_string();
    let script =
        "\\set n random(1, 1000000000)\nCREATE DATABASE raw_:n TEMPLATE template1 STRATEGY WAL_LOG;\n";
    let rate = pgbench(server, "postgres", script, &["--protocol=simple", "--transactions", &each], clients)?;
    for database in server.databases("raw_") {
        server.query("postgres", &format!("DROP DATABASE {database}")).map_err(io::Error::other)?;
    }
    Ok(Duration::from_secs_f64(clients as f64 / rate))
}

fn pgbench(
    server: &Server,
    database: &str,
    script: &str,
    options: &[&str],
    clients: usize,
) -> io::Result<f64> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), script)?;
    let output = Command::new(server.program("pgbench"))
        .args([
            "--no-vacuum",
            "--jobs",
            if clients > 1 { "2" } else { "1" },
            "--client",
            &clients.to_string(),
        ])
        .args(options)
        .arg("--file")
        .arg(file.path())
        .arg(server.url(database))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| {
        io::Error::other(format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)))
    })
}
