//! What an installation costs its database when nothing happens to its tenants.

use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_testkit::postgres::Server;
use tenantry_tests::{Backend, Installation, Tenantry};

use crate::load;

/// So many tenants have databases and are in use, half of them with an endpoint. The others are like one of these, but in the
/// control database alone: whoever opened one of their databases, or looked at them one by one, would be seen in the figures.
const REAL: usize = 20;
/// Until nobody relies any more on having been looked at, and what was counted before is told.
const SETTLING: Duration = Duration::from_secs(65);

/// What was measured.
pub(crate) struct Measured {
    /// Transactions per second, in all databases of the installation; what PostgreSQL does there for itself counts as well.
    pub(crate) transactions: f64,
    /// Statements per second but those that begin and end transactions: by how they begin, the most frequent first.
    pub(crate) statements: Vec<(String, f64)>,
}

/// Measures with so many tenants and one process, for so long.
pub(crate) fn measure(
    backend: Backend,
    server: &Server,
    tenants: usize,
    duration: Duration,
) -> io::Result<Measured> {
    let installation = Installation::new(backend);
    let tenantry = installation.start();
    load::provision_tenants(&tenantry, "bench", 8, REAL)?;
    let mut operator = tenantry.operator();
    for number in (0..REAL).step_by(2) {
        let path = format!("/api/v1/tenants/bench-{number}/webhooks");
        operator.post(&path, &json!({ "url": "https://hooks.example.com/" })).expect(201);
    }
    let ask = |sql: &str| server.query(&installation.control_database(), sql).map_err(io::Error::other);
    ask(&multiply(tenants.saturating_sub(REAL)))?;
    thread::sleep(SETTLING);
    let log = Log::start(server)?;
    let (before, begin) = (transactions(&installation, server)?, Instant::now());
    thread::sleep(duration);
    let (after, seconds) = (transactions(&installation, server)?, begin.elapsed().as_secs_f64());
    let statements = log.end(&installation)?;
    no_errors(&tenantry)?;
    let mut statements: Vec<_> =
        statements.into_iter().map(|(what, count)| (what, count as f64 / seconds)).collect();
    statements.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Ok(Measured { transactions: (after - before) / seconds, statements })
}

/// So many more tenants like the first one, each with what is known of how it came to be.
fn multiply(count: usize) -> String {
    format!(
        "WITH model AS (SELECT id FROM tenants WHERE slug = 'bench-0'),
              made AS (
                  INSERT INTO tenants
                  SELECT (jsonb_populate_record(tenant, jsonb_build_object(
                      'id', 'ten_' || replace(gen_random_uuid()::text, '-', ''),
                      'slug', 'quiet-' || n, 'database_name', 'quiet_' || n
                  ))).*
                  FROM tenants AS tenant, generate_series(1, {count}) AS n
                  WHERE tenant.id = (SELECT id FROM model)
                  RETURNING id)
         INSERT INTO provisioning_runs
         SELECT (jsonb_populate_record(run, jsonb_build_object('tenant_id', made.id))).*
         FROM made, provisioning_runs AS run WHERE run.tenant_id = (SELECT id FROM model);
         ANALYZE"
    )
}

fn transactions(installation: &Installation, server: &Server) -> io::Result<f64> {
    let names = format!("{}%", installation.database_prefix().replace('_', "\\_"));
    let query = format!(
        "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database \
         WHERE datname LIKE '{names}' OR datname = '{}'",
        installation.control_database()
    );
    let answer = server.query("postgres", &query).map_err(io::Error::other)?;
    answer.trim().parse().map_err(io::Error::other)
}

fn no_errors(tenantry: &Tenantry) -> io::Result<()> {
    let log = tenantry.log();
    let error = log.lines().find(|line| line.contains("\"ERROR\""));
    error.map_or(Ok(()), |error| Err(io::Error::other(error.to_owned())))
}

/// The server's log, to which every statement is written meanwhile.
struct Log<'a> {
    server: &'a Server,
    begin: u64,
}

/// What comes before a statement: the database, and how it was sent.
const PREFIX: &str = "%d\t";
const FILE: &str = "server.log";

impl<'a> Log<'a> {
    fn start(server: &'a Server) -> io::Result<Self> {
        let log = Self { server, begin: 0 };
        log.set(&format!("log_line_prefix = '{PREFIX}'"))?;
        log.set("log_statement = 'all'")?;
        let size = log.ask(&format!("SELECT size FROM pg_stat_file('{FILE}')"))?;
        Ok(Self { begin: size.parse().map_err(io::Error::other)?, ..log })
    }

    fn ask(&self, sql: &str) -> io::Result<String> {
        self.server.query("postgres", sql).map_err(io::Error::other)
    }

    fn set(&self, setting: &str) -> io::Result<()> {
        self.ask(&format!("ALTER SYSTEM SET {setting}"))?;
        self.ask("SELECT pg_reload_conf()").map(drop)
    }

    /// How often which statements were made in the installation's databases.
    fn end(self, installation: &Installation) -> io::Result<BTreeMap<String, usize>> {
        let text = self.ask(&format!("SELECT pg_read_file('{FILE}', {}, 1 << 28)", self.begin))?;
        self.set("log_statement = 'none'")?;
        let (control, prefix) = (installation.control_database(), installation.database_prefix());
        let mut counts = BTreeMap::new();
        for line in text.lines() {
            let Some((database, statement)) = line.split_once("\tLOG:  ") else { continue };
            let is_control = database == control;
            if !is_control && !database.starts_with(prefix) {
                continue;
            }
            let Some((_, statement)) = statement.split_once(": ") else { continue };
            if ["BEGIN", "COMMIT", "ROLLBACK", "START"].iter().any(|word| statement.starts_with(word)) {
                continue;
            }
            let place = if is_control { "control" } else { "tenants" };
            let words: String = statement.replace('"', "").chars().take(60).collect();
            *counts.entry(format!("{place}: {words}")).or_default() += 1;
        }
        Ok(counts)
    }
}
