//! A throw-away PostgreSQL for tests: nobody has to install, start or clean up anything.
//!
//! [`shared`] gives one server per test process: the one that `TENANTRY_TEST_POSTGRES_URL` names, or one of its own, made
//! in a temporary directory from the PostgreSQL programs that are installed (the newest under `/usr/lib/postgresql`,
//! those that `pg_config` names, or those in `PATH`). It listens on a free port of the loopback interface, asks for a password, compares
//! text by the rules of a language (so that what has to be compared byte by byte is caught if it is not), and does without
//! everything that would only help it survive a crash. However the process ends, a child that outlives it stops the
//! server and removes its directory, or drops what was made on a server that was there before.

mod cleaner;
mod cluster;
mod crash;
mod programs;
mod server;

use std::io::Write as _;
use std::sync::OnceLock;

use cluster::Care;
use programs::Programs;
pub use server::Server;

/// Names a server to use instead of starting one; the user has to be allowed to create databases.
pub const URL_VARIABLE: &str = "TENANTRY_TEST_POSTGRES_URL";

/// `1` makes it a failure that there is no PostgreSQL to test with.
pub const REQUIRE_VARIABLE: &str = "TENANTRY_REQUIRE_POSTGRES";

/// This process's server; none where there is no PostgreSQL, which is said on standard error.
///
/// # Panics
/// If there is none although `TENANTRY_REQUIRE_POSTGRES=1`, or if there is one that does not work.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| provide(variable(URL_VARIABLE), programs::find, is_required())).as_ref()
}

/// A server of one's own that keeps what it has acknowledged, as one in production does: what to measure on. None where
/// PostgreSQL is not installed.
///
/// # Panics
/// If it does not start.
pub fn durable() -> Option<Server> {
    let programs = programs::find()?;
    let started = Server::started(&programs, Care::Durable);
    Some(started.unwrap_or_else(|error| panic!("PostgreSQL does not start: {error}")))
}

fn provide(url: Option<String>, find: fn() -> Option<Programs>, required: bool) -> Option<Server> {
    if let Some(url) = url {
        return Some(
            Server::at(&url).unwrap_or_else(|error| panic!("{URL_VARIABLE} does not work: {error}")),
        );
    }
    let Some(programs) = find() else {
        let missing = format!(
            "neither is {URL_VARIABLE} set, nor are initdb, pg_ctl and postgres installed together anywhere"
        );
        assert!(!required, "no PostgreSQL to test with, although {REQUIRE_VARIABLE}=1: {missing}");
        // Not `eprintln!`, which the test harness keeps to itself as long as nothing fails.
        let _ = writeln!(
            std::io::stderr().lock(),
            "\n*** SKIPPED: the tests that need PostgreSQL ({missing}) ***\n"
        );
        return None;
    };
    Some(
        Server::started(&programs, Care::Careless)
            .unwrap_or_else(|error| panic!("PostgreSQL does not start: {error}")),
    )
}

fn is_required() -> bool {
    variable(REQUIRE_VARIABLE).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings but these; the product reads its own in `app`"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_shared_and_its_databases_are_separate() {
        let Some(server) = shared() else { return };
        assert!(std::ptr::eq(server, shared().unwrap()));
        let (one, other) = (server.fresh_database("one"), server.fresh_database("one"));
        assert_ne!(one, other);
        let name = |url: &str| url.rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
        server.query(&name(&one), "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)").unwrap();
        assert_eq!(server.query(&name(&one), "SELECT sum(n) FROM t").unwrap(), "3");
        assert!(server.query(&name(&other), "SELECT sum(n) FROM t").unwrap_err().contains("does not exist"));
    }

    #[test]
    fn text_is_compared_by_a_language_unless_it_is_told_otherwise() {
        let Some(server) = shared() else { return };
        if variable(URL_VARIABLE).is_some() {
            return;
        }
        let order = |collation: &str| {
            let sql =
                format!("SELECT string_agg(t, '' ORDER BY t {collation}) FROM unnest('{{a,B,c}}'::text[]) t");
            server.query("postgres", &sql).unwrap()
        };
        assert_eq!((order("").as_str(), order("COLLATE \"C\"").as_str()), ("aBc", "Bac"));
    }

    #[test]
    #[should_panic(expected = "TENANTRY_TEST_POSTGRES_URL does not work")]
    fn an_address_without_a_server_is_a_failure_and_not_skipped() {
        provide(Some("postgres://nobody@127.0.0.1:1/postgres".to_owned()), || None, false);
    }

    #[test]
    fn without_any_postgresql_there_is_no_server() {
        assert!(provide(None, || None, false).is_none());
    }

    #[test]
    #[should_panic(expected = "no PostgreSQL to test with, although TENANTRY_REQUIRE_POSTGRES=1")]
    fn without_any_postgresql_it_is_a_failure_where_one_is_required() {
        provide(None, || None, true);
    }
}
